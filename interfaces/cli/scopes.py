"""Which command takes what: refused here, before anything is read or written. Called at the start of every command."""

from typing import TYPE_CHECKING, Any

from interfaces.cli.flags import Flags, UsageMistake

if TYPE_CHECKING:
    import typer

ONE_DOCUMENT = frozenset({
    "demo", "init", "action get", "action diff", "action cancel", "action edit", "approve", "deny", "run get", "agent get", "agent card",
    "agent drain", "agent suspend", "agent resume", "audit get", "audit verify", "audit reconcile", "config get", "config explain",
    "config set", "version", "explain", "mute add", "mute expire", "chaos validate", "chaos run", "chaos show", "chaos stop", "nodes heal",
    "eval capture", "whoami",
})  # fmt: skip
"""They print one document, which is no list."""

FINDINGS = frozenset({"scan"})
"""They print findings, for which other tools have forms of their own."""

NO_DRY_RUN = {
    "approve": "a decision is signed or it is not: look with day2 approvals",
    "deny": "a decision is signed or it is not: look with day2 approvals",
    "chat": "words decide nothing: a card does, and asks first",
    "stop": "a stop that only seems to hold would be a danger: look with day2 stop --status",
    "resume": "look with day2 stop --status",
    "action cancel": "look with day2 action get",
    "action edit": "it only asks the judge: look at what it says with day2 action get",
    "chaos run": "look with day2 chaos validate FILE",
    "chaos stop": "it only asks: look with day2 chaos show",
    "init": "it writes files of its own, and over none without --force",
    "config set": "look with day2 config explain",
    "mute add": "it hides nothing for good: look with day2 scan --show-muted",
    "mute expire": "look with day2 mute list",
    "nodes heal": "it only asks: each step is judged by itself, and has a dry run of its own; look with day2 nodes list",
    "snapshot save": "it writes one file and nothing else",
    "eval capture": "it writes one file, or to standard output",
    **dict.fromkeys(("agent drain", "agent suspend", "agent resume"), "look with day2 agent list"),
    **dict.fromkeys(("serve", "agent serve", "demo", "mcp serve"), "it starts processes; to see what would be proposed: day2 plan"),
}
"""They write, and have no dry run, for the reason given. What is in neither this table nor has an option writes nothing."""

_WORDS = {"selector": "-l/--selector", "since": "--since", "watch": "-w/--watch", "wait": "--wait/--no-wait", "dry_run": "--dry-run"}


def check(context: "typer.Context", flags: Flags) -> None:
    """Raises UsageMistake for a flag or a form that this command has no use for."""
    command = context.command_path.partition(" ")[2]
    taken = {parameter.name for parameter in context.command.params}
    for name in flags.scoped():
        if name in taken or (name == "dry_run" and command not in NO_DRY_RUN):
            continue
        if name == "dry_run":
            raise UsageMistake(f"day2 {command} has no dry run", mend=NO_DRY_RUN[command])
        raise UsageMistake(f"day2 {command} takes no {_WORDS[name]}".replace("  ", " "))
    _form(command, flags.output)


def _form(command: str, output: str) -> None:
    from core.domain.errors import InvalidInput
    from interfaces.rendering import formats

    try:
        formats.checked(output)
    except InvalidInput as error:
        raise UsageMistake(str(error), mend=error.mend) from error
    if output in formats.OF_LISTS and command in ONE_DOCUMENT:
        raise UsageMistake(f"-o {output} is for lists, and day2 {command} prints one document", mend="use -o json or -o yaml")
    if output in formats.OF_FINDINGS and command not in FINDINGS:
        raise UsageMistake(f"-o {output} is for findings", mend=f"day2 scan -o {output}")


def defaults(group: Any, values: dict[str, Any]) -> dict[str, Any]:
    """The values as defaults of every command below the group, as the parser takes them; options that are not there are not made."""
    return {
        name: defaults(command, values) if hasattr(command, "commands") else values
        for name, command in group.commands.items()
        if name != "help"  # the root's own option has that name
    }
