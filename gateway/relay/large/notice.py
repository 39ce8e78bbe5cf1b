"""What stands in a message in place of a document that a person fetches: words, and where it lies.

For whoever's server is no Sceau. French and English, as most readers read one of them; no name of a file, of
a patient or of anybody else: the words go wherever the message is forwarded, the document does not.
"""

from base64 import encodebytes
from datetime import datetime

from gateway.relay.large.stub import Cut, Instead

# As the page behind the link counts, and the folder that the file is put into.
_UNITS = ((1 << 30, "Go", "GB"), (1 << 20, "Mo", "MB"), (1 << 10, "ko", "kB"))

_WORDS = """\
Un document de {size_fr} est trop volumineux pour être joint à ce message.
Il reste chiffré chez son expéditeur et vous attend jusqu'au {until:%d/%m/%Y} :

    {url}

Ouvrez cette adresse et identifiez-vous avec {issuer} : seul le
professionnel à qui ce message est adressé peut lire le document.
Après cette date, demandez-le de nouveau à l'expéditeur.

--

A document of {size_en} is too large to be attached to this message.
It stays encrypted with its sender and waits for you until {until:%Y-%m-%d}:

    {url}

Open this address and log in with {issuer}: only the professional
to whom this message is addressed can read the document.
After that day, ask the sender for it again.
"""


def words(url: str, until: datetime, issuer: str) -> Instead:
    """Return how a cut part is replaced by words for who is to read it.

    ``issuer`` is the name of where they log in.
    """

    def instead(_number: int, cut: Cut, _block: bytes) -> bytes:
        french, english = _size(cut.octets)
        said = _WORDS.format(size_fr=french, size_en=english, until=until, url=url, issuer=issuer)
        octets = encodebytes(said.replace("\n", "\r\n").encode()).replace(b"\n", b"\r\n")
        return (
            b"Content-Type: text/plain; charset=utf-8\r\n"
            b"Content-Disposition: inline\r\n"
            b"Content-Transfer-Encoding: base64\r\n\r\n" + octets
        )

    return instead


def _size(octets: int) -> tuple[str, str]:
    for unit, french, english in _UNITS:
        if octets >= unit:
            amount = f"{octets / unit:.1f}".removesuffix(".0")
            return f"{amount.replace('.', ',')} {french}", f"{amount} {english}"
    return f"{octets} octets", f"{octets} bytes"
