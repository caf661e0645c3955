"""The technician's workbench: looks into cards with the brain's knowledge and the station's hands; writes nothing.

The product never puts brain and hands into one process. These programs do, because a person who looks at a card in a
hall wants its files by name and there may be no service to ask.
"""
