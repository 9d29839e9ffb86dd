"""What may happen: the nouns of the trade and their laws. Pure: `now` is an argument, nothing here does I/O."""
