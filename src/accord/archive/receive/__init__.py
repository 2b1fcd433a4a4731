"""Receiving over DIMSE, behind an interface that another receiver can take over.

A receiver speaks the network protocol and nothing else. It asks `Intake.admit` who may associate
and hands every complete object to `Intake.take`, which returns only when the object is durable and
indexed; what it returns is what the sender is told. `listener` accepts connections, `association`
serves one of them, `wire` holds its reading within bounds, `negotiation` is what is offered,
`questions` answers what is no object, `places` counts the associations of a peer.
"""
