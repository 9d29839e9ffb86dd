"""Experience flows: a conversation by text, as data, and the pure machine that carries it on.

A :class:`~heliograph.rules.flow.document.Flow` is a graph of nodes. A
:class:`~heliograph.rules.flow.session.Session` is where one person stands in it. The machine takes both and what
has just happened, and answers the session as it is now and the acts to be done: texts to send, calls to make. It
does none of them, so a conversation can be tried out at a prompt and repeated exactly after a crash.
"""
