"""A gateway's folder as an operator would make it: certificate, keys, configuration."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from gateway.demo.pki import Authority, Issued
from gateway.settings import Settings, load
from tests.world.lists import Lists
from vault.keys import KeyRing

_CONFIG = """
[site]
name = "{name}"
host = "mx.{domain}"
domains = ["{domain}"]
[paths]
data = "data"
keys = "keys/ring.json"
[tls]
certificate = "gateway.crt"
key = "gateway.key"
anchors = "anchors.pem"
[trust]
signers = ["signer.crt"]
poll = 0.2
"""


@dataclass(slots=True)
class Site:
    """One gateway on disk."""

    domain: str
    folder: Path
    issued: Issued

    @classmethod
    def make(
        cls, folder: Path, domain: str, authority: Authority, lists: Lists, sections: str = ""
    ) -> Self:
        """Write everything that ``serve`` needs, the key ring included."""
        folder.mkdir(parents=True)
        issued = authority.issue(f"mx.{domain}", organisation=domain)
        issued.write(folder, "gateway")
        (folder / "anchors.pem").write_bytes(authority.anchors_pem)
        (folder / "signer.crt").write_bytes(lists.signer.chain_pem)
        (folder / "keys").mkdir(mode=0o700)
        (folder / "data").mkdir(mode=0o700)
        KeyRing.create(folder / "keys" / "ring.json", authority.now)
        site = cls(domain, folder, issued)
        site.configure(sections)
        return site

    @property
    def config(self) -> Path:
        return self.folder / "gateway.toml"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def settings(self) -> Settings:
        return load(self.config)

    def configure(self, sections: str) -> None:
        """Write the configuration with other sections than before."""
        name = self.domain.partition(".")[0]
        self.config.write_text(_CONFIG.format(name=name, domain=self.domain) + sections)
