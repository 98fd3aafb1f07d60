"""A part of a plan, small enough to be run again and again."""

from fastbatch.model import Bundle, Plan


def sample(plan: Plan, share: float) -> Plan:
    """
    Give about such a part of a plan, by bytes; one bundle at least, and all of them for a share of 1.

    What is taken is spread evenly over the plan, and the same each time. Bundles are taken as they are, with their ids,
    so that a later run of all finds them uploaded; those of one input, which was cut, are taken together or not at all.
    """
    groups = dict[str, list[Bundle]]()
    for bundle in plan.bundles:
        groups.setdefault(bundle.items[0].name, []).append(bundle)  # slices share it, and nothing else does
    names = _spread({name: sum(bundle.size for bundle in group) for name, group in groups.items()}, share)
    taken = [bundle for name in names for bundle in groups[name]]
    if len(taken) == len(plan.bundles):
        return plan
    ids, inputs = {bundle.id for bundle in taken}, {item.name for bundle in taken for item in bundle.items}
    return Plan(
        tuple(item for item in plan.items if item.name in inputs),
        tuple(bundle for bundle in plan.bundles if bundle.id in ids),
        plan.bundle_size,
    )


def _spread(sizes: dict[str, int], share: float) -> list[str]:
    """Choose so that of each beginning, what is taken is nowhere further from its share than half of a group."""
    taken, owed = list[str](), 0.0
    for name, size in sizes.items():
        owed += share * size
        if owed >= size / 2:
            taken.append(name)
            owed -= size
    return taken or sorted(sizes, key=lambda name: (sizes[name], name))[:1]
