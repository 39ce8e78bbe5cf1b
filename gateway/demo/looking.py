"""Two scenes: an address is looked up before anybody writes to it, and a slip of the finger is mended."""

import httpx
from rich.console import Console

from gateway.demo.clients import client
from gateway.demo.stage import Stage

_PATIENCE = 20.0


def look_up(stage: Stage, screen: Console) -> None:
    """A hospital doctor asks who is at the laboratory, and whether an address may be written to."""
    screen.rule("An address is looked up")
    doctor = stage.doctor
    url = next(site["web"] for site in stage.description["sites"] if site["name"] == "hopital")
    with httpx.Client(
        base_url=url,
        auth=(doctor.address, doctor.password),
        verify=stage.context(),
        timeout=_PATIENCE,
    ) as web:
        for question in ("martin labo", stage.outsiders[0]):
            found = web.get("/v1/addresses", params={"q": question}).raise_for_status().json()
            screen.print(f"  {question}:", markup=False)
            for each in found["results"]:
                screen.print(f"    {each['address']} ({each['kind']})", markup=False)
            if (answer := found["answer"]) is not None:
                screen.print(f"    {answer['state']}: {answer['words']['en']}", markup=False)


def mended(stage: Stage, screen: Console) -> str:
    """A doctor mistypes a domain; the refusal says the address that was meant. Return the wrong one."""
    screen.rule("A refusal carries its cure")
    doctor, meant = stage.doctor, stage.biologist.address
    wrong = meant.replace("labo", "lbao")
    with client(stage, stage.hopital, doctor, "submission") as line:
        line.mail(doctor.address)
        code, text = line.rcpt(wrong)
        screen.print(f"  RCPT {wrong}: {code} {text.decode()}", markup=False)
    return wrong
