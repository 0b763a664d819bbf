from __future__ import annotations


class BadInput(ValueError):
    """What a person gave cannot be used. One sentence that names the file, the key and the mend.

    Arguments:
        message: What is wrong and what would be right, without a full stop.
        key: The dotted path of the knob, if the fault lies in one.
        source: The file, or what else the input came from.
    """

    def __init__(self, message: str, *, key: str = "", source: str = "") -> None:
        super().__init__(message)
        self.message, self.key, self.source = message, key, source

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.source, self.key, self.message))).replace("\n", " ")

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (self.message, self.key, self.source)

    def within(self, key: str = "", source: str = "") -> BadInput:
        """Returns the same fault as seen from outside: the key prefixed, the source named."""

        path = ".".join(filter(None, (key, self.key)))
        return BadInput(self.message, key=path, source=source or self.source)


def _rebuild(message: str, key: str, source: str) -> BadInput:
    return BadInput(message, key=key, source=source)
