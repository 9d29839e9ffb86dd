"""SMPP 3.4: texts over a lasting connection to a message centre (SMSC). See ``docs/carriers/smpp.md``.

A text's way: :mod:`wording` makes its bodies, :mod:`line` chooses the bind with room, :mod:`session` writes and waits
for the answers, :mod:`flight` makes one outcome of the answers to all parts. Back: :mod:`session` reads,
:mod:`notices` tells a receipt from a reply, :mod:`matching` finds the text a receipt is about, :mod:`joining` puts
replies together. :mod:`link` keeps a bind up. Octets are known to :mod:`pdu` and :mod:`coding` only.
"""
