"""How a text reaches a network. Carriers know protocols; they know neither campaigns nor SQL."""
