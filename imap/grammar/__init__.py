"""Commands and answers as IMAP spells them: octets to values and back, and no I/O.

RFC 3501 §9, RFC 9051 §9, and the grammars of the extensions that ``docs/imap.md`` lists.
"""
