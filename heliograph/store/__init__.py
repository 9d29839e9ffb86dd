"""All SQL. One function is one statement, its constant right above it; it takes a connection and decides nothing."""
