"""Currencies and how many decimals their amounts have, frozen here: ISO 4217 as of January 2026.

Left out is what has no minor unit at all: metals, bond units, drawing rights, and the codes for tests and
for no currency. Codes withdrawn since 2010 are kept, for a bank's history holds them.
Source: ISO 4217 list one and list three (six-group.com, the maintenance agency).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from tallystick.errors import UsageError, did_you_mean

__all__ = ["DIGITS", "digits"]

_ACTIVE = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF "
    "CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP "
    "GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT "
    "LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR "
    "NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN "
    "SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAD "
    "XAF XCD XCG XOF XPF YER ZAR ZMW ZWG"
)
_WITHDRAWN = "ANG BGN BYR CUC EEK HRK LTL LVL MRO SLL STD TMM VEF ZMK ZWL"
_OTHER = {
    0: "BIF BYR CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}

#: Code → decimals of an amount: a minor unit is a major one over ten to this.
DIGITS: Final = MappingProxyType(
    dict.fromkeys(f"{_ACTIVE} {_WITHDRAWN}".split(), 2)
    | {code: places for places, codes in _OTHER.items() for code in codes.split()}
)


def digits(currency: str) -> int:
    """Return how many decimals amounts in a currency have; UsageError where there is no such currency.

    >>> digits("USD"), digits("JPY"), digits("KWD"), digits("CLF")
    (2, 0, 3, 4)
    """
    places = DIGITS.get(currency)
    if places is None:
        raise UsageError(
            f'There is no currency "{currency}".',
            f"{_near(currency)} Codes are those of ISO 4217: --set currency=EUR.",
        )
    return places


def _near(currency: str) -> str:
    """Propose codes that look alike; the whole list would be a page."""
    said = did_you_mean(currency.upper(), DIGITS)
    return said if said.startswith("Did") else "Three capital letters are wanted."
