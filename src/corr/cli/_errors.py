"""What goes wrong for reasons outside corr: one line and exit status 2."""


class CommandError(Exception):
    """Its text is the line that the user sees."""


def missing_extra(error: ImportError, extra: str = "demo") -> CommandError:
    return CommandError(
        f"this needs the package {error.name!r}: pip install 'corr2d[{extra}]' "
        f"(from a checkout: pip install '.[{extra}]')"
    )
