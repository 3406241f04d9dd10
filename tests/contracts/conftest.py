"""What the tests of contracts share."""

from hypothesis import settings

# The first example compiles the kernels: seconds, once.
settings.register_profile("kernels", deadline=None)
settings.load_profile("kernels")
