"""How to talk to a card: readers, APDUs and ISO 7816, and nothing about what is on the card."""
