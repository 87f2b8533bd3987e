"""A third client of the Everwire protocol, which nobody ships: written from docs/protocol.md, the schema, the codes and the
golden vectors alone, with the standard library of Python 3.9. It is the test of the text."""

NAME = "everwire-third/0.1.0"
