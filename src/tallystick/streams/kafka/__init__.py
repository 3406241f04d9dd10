"""Kafka: what its source and its sink share. Nothing here is needed until a `kafka://` URI is used."""
