"""CDS clients: registered out of band, let in by a signed token that is used once."""

from sqlalchemy import Connection
from starlette.requests import Request

from accord.kit import audit, clock
from accord.kit.access import Actor, ActorKind
from accord.kit.db import Database
from accord.kit.errors import Invalid, Unauthenticated
from accord.kit.settings import Settings
from accord.registry import service as registry
from accord.reminder import store
from accord.reminder.access import ASK
from accord.reminder.tokens import REFUSAL, Client, looks_like_token, read_keys, verify


def register(
    conn: Connection, actor: Actor, *, issuer: str, display: str, institution: str, key_set: str
) -> Client:
    """Register a client with its public keys, or give a known one new keys.

    Raises:
        Invalid: The key set cannot be trusted, or the institution is unknown.
    """
    if registry.find_institution(conn, institution, clock.today()) is None:
        raise Invalid(f"There is no institution {institution} today.")
    try:
        keys = read_keys(key_set)
    except (ValueError, TypeError, AttributeError) as error:
        raise Invalid(f"The key set cannot be used: {error}.") from error
    client = Client(issuer, display, institution, keys)
    store.put_client(conn, client)
    audit.record(
        conn,
        actor,
        action="reminder.client.registered",
        subject=f"cds_client:{issuer}",
        detail={"institution": institution, "keys": [key["kid"] for key in keys]},
    )
    return client


class TokenDoor:
    """A way into the gate: the token of a registered CDS client, once, for the address it names.

    What a token may do is fixed: ask, and tell feedback.
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database = database
        self.settings = settings

    def __call__(self, request: Request, credential: str) -> Actor | None:
        """Return the client behind a token; None when the credential is no token.

        Raises:
            Unauthenticated: The token is wrong, or was used before.
        """
        if not looks_like_token(credential):
            return None
        now = clock.now()
        with self.database.begin() as conn:
            token = verify(
                credential,
                audience=f"{self.settings.inner_url}{request.url.path}",
                now=now,
                find=lambda issuer: store.find_client(conn, issuer),
            )
            is_fresh = store.use_token(conn, token, now)
        if not is_fresh:
            raise Unauthenticated(REFUSAL)
        return Actor(
            ActorKind.SYSTEM,
            token.client.issuer,
            token.client.display,
            token.client.institution,
            permissions=frozenset({ASK}),
        )
