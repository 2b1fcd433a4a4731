"""Pure rules of the registry: what a qualification covers, when one may be granted, lists."""
