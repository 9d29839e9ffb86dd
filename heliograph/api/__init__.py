"""The JSON face: the vendor's REST API word for word, and its completion."""
