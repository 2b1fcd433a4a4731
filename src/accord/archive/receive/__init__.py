"""Receiving over DIMSE, behind an interface that another receiver can take over.

A receiver speaks the network protocol and nothing else. It asks `Intake.admit` who may associate
and hands every complete object to `Intake.take`, which returns only when the object is durable and
indexed; what it returns is what the sender is told. `scp` is the receiver on pynetdicom; `guard`
holds what keeps its reading within bounds.
"""
