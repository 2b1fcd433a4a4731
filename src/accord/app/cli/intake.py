"""`accord intake`: the work list of HL7 v2 messages, and who may send them."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from accord.intake.model import Received

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Number = Annotated[int, typer.Argument(metavar="ID", help="Number of the message.")]
Application = Annotated[str, typer.Option(help="Sending application, MSH-3.")]
Facility = Annotated[str, typer.Option(help="Sending facility, MSH-4.")]


def add(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="HL7 v2 messages and who may send them.", no_args_is_help=True)
    group.command("list")(list_)
    group.command("show")(show)
    group.command("replay")(replay)
    peer = typer.Typer(help="Senders and the institutions they speak for.", no_args_is_help=True)
    peer.command("add")(add_peer)
    peer.command("remove")(remove_peer)
    peer.command("list")(list_peers)
    group.add_typer(peer, name="peer")
    app.add_typer(group, name="intake")


def list_(
    institution: Annotated[str | None, typer.Option(help="Of this institution alone.")] = None,
    *,
    whole: Annotated[bool, typer.Option("--all", help="Those that are done as well.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
    as_json: Json = False,
) -> None:
    """List the messages that could not be mapped, the oldest first, with the reason."""
    from accord.intake import service
    from accord.kit import running
    from accord.kit.settings import get_settings

    with (
        running.database(get_settings(), command="intake list") as database,
        database.begin() as conn,
    ):
        found = service.work_list(conn, institution=institution, whole=whole, limit=limit)
    if as_json:
        print(json.dumps({"messages": [_shown(each) for each in found]}, ensure_ascii=False))
        return
    for each in found:
        print(_line(each))


def show(number: Number, *, as_json: Json = False) -> None:
    """Show a message as it was received; it is noted who looked."""
    from accord.intake import service
    from accord.kit import running
    from accord.kit.access import Actor
    from accord.kit.settings import get_settings

    with (
        running.database(get_settings(), command="intake show") as database,
        database.begin() as conn,
    ):
        received, raw = service.show(conn, Actor.process("intake show"), number)
    head = service.head_of(raw)
    text = raw.decode((head and head.charset) or "utf-8", errors="backslashreplace")
    if as_json:
        print(json.dumps({**_shown(received), "raw": text}, ensure_ascii=False))
        return
    print(_line(received))
    for segment in text.split("\r"):
        if segment.strip():
            print("".join(char if char.isprintable() else repr(char)[1:-1] for char in segment))


def replay(number: Number, *, as_json: Json = False) -> None:
    """Map a message again; ends 1 when it waits still."""
    from accord.intake import service
    from accord.intake.model import State
    from accord.kit import running
    from accord.kit.access import Actor
    from accord.kit.settings import get_settings

    with (
        running.database(get_settings(), command="intake replay") as database,
        database.begin() as conn,
    ):
        after = service.replay(conn, Actor.process("intake replay"), number)
    print(json.dumps(_shown(after), ensure_ascii=False) if as_json else _line(after))
    if after.state is not State.DONE:
        raise typer.Exit(1)


def add_peer(
    application: Application,
    facility: Facility,
    institution: Annotated[str, typer.Option(help="Institution for which it speaks.")],
    address: Annotated[
        str | None, typer.Option(help="The only IP address from which it may come.")
    ] = None,
) -> None:
    """Let a sender speak for an institution, or change what it was bound to."""
    from accord.intake import service
    from accord.intake.model import Peer
    from accord.kit import running
    from accord.kit.access import Actor
    from accord.kit.settings import get_settings

    with (
        running.database(get_settings(), command="intake peer add") as database,
        database.begin() as conn,
    ):
        peer = Peer(application, facility, institution, address)
        service.put_peer(conn, Actor.process("intake peer add"), peer)
    print(f"{application} of {facility} speaks for {institution}")


def remove_peer(application: Application, facility: Facility) -> None:
    """Refuse a sender from now on."""
    from accord.intake import service
    from accord.kit import running
    from accord.kit.access import Actor
    from accord.kit.settings import get_settings

    with (
        running.database(get_settings(), command="intake peer remove") as database,
        database.begin() as conn,
    ):
        service.remove_peer(conn, Actor.process("intake peer remove"), application, facility)
    print(f"{application} of {facility} is refused from now on")


def list_peers(*, as_json: Json = False) -> None:
    """List the senders."""
    from dataclasses import asdict

    from accord.intake import service
    from accord.kit import running
    from accord.kit.settings import get_settings

    with (
        running.database(get_settings(), command="intake peer list") as database,
        database.begin() as conn,
    ):
        found = service.peers(conn)
    if as_json:
        print(json.dumps({"peers": [asdict(peer) for peer in found]}, ensure_ascii=False))
        return
    for peer in found:
        where = peer.address or "any address"
        print(f"{peer.application} of {peer.facility}: {peer.institution}, from {where}")


def _shown(received: "Received") -> dict[str, Any]:
    return {
        "id": received.id,
        "sender": f"{received.application}/{received.facility}",
        "institution": received.institution,
        "control_id": received.control_id,
        "kind": received.kind,
        "received_at": received.received_at.isoformat(),
        "state": received.state.value,
        "code": received.code,
        "reason": received.reason,
    }


def _line(received: "Received") -> str:
    reason = f"  {received.code}: {received.reason}" if received.code else ""
    return (
        f"{received.id}  {received.received_at:%Y-%m-%d %H:%M}  {received.institution}"
        f"  {received.kind}  {received.control_id}  {received.state.value}{reason}"
    )
