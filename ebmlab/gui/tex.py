"""Short formulas inside a sentence, as rich text: TeX to characters with raised and lowered ones."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

_TOKENS = re.compile(r"\\[a-zA-Z]+|\\.|[{}^_]|\s+|.", re.DOTALL)
_ROLE = re.compile(r":math:`([^`]*)`|:\w+:`~?([^`]*)`|\*([^*\s][^*]*)\*|``([^`]*)``|`([^`]*)`", re.DOTALL)
_TABLE = """
    alpha α beta β gamma γ delta δ epsilon ε varepsilon ε zeta ζ eta η theta θ kappa κ lambda λ mu μ nu ν xi ξ
    pi π rho ρ sigma σ tau τ phi φ chi χ psi ψ omega ω Gamma Γ Delta Δ Theta Θ Lambda Λ Pi Π Sigma Σ Phi Φ Psi
    Ψ Omega Ω nabla ∇ sum ∑ prod ∏ int ∫ infty ∞ propto ∝ sim ∼ approx ≈ le ≤ ge ≥ leq ≤ geq ≥ neq ≠ to → in ∈
    cdot · times × pm ± mid | top ᵀ leftarrow ← mapsto ↦ partial ∂ ell ℓ odot ⊙ langle ⟨ rangle ⟩ star ⋆ dots
    … ldots …
"""
_SILENT = "left right mathbb mathcal mathrm mathbf boldsymbol text operatorname bigl bigr big !"
_SPACES = "quad qquad ; :"
_WORDS = {
    **dict(zip(_TABLE.split()[::2], _TABLE.split()[1::2])),
    **dict.fromkeys(_SILENT.split(), ""),
    **dict.fromkeys(_SPACES.split(), " "),
    "|": "‖",
    ",": "\u2009",
    " ": " ",
}
_ACCENTS = {"hat": "\u0302", "tilde": "\u0303", "bar": "\u0304", "overline": "\u0304", "dot": "\u0307"}


def rich(text: str) -> str:
    """Returns a docstring's paragraphs as rich text."""

    paragraphs = re.split(r"\n\s*\n", text.strip())
    return "".join(f"<p>{_ROLE.sub(_role, html.escape(' '.join(p.split()), quote=False))}</p>" for p in paragraphs)


def inline(tex: str) -> str:
    """Returns a short formula as rich text."""

    return _sequence(iter(_TOKENS.findall(tex))).strip()


def _role(match: re.Match[str]) -> str:
    tex, word, emphasised, *code = match.groups()
    if tex is not None:
        return inline(html.unescape(tex))
    return f"<i>{emphasised}</i>" if emphasised else word or next(filter(None, code), "")


def _sequence(tokens: Iterator[str]) -> str:
    """Reads up to the closing brace or the end."""

    made = ""
    for token in tokens:
        if token == "}":
            break
        made += _one(token, tokens)
    return made


def _one(token: str, tokens: Iterator[str]) -> str:
    """Returns what a token, with the arguments that it takes off the rest, looks like."""

    if token == "{":
        return _sequence(tokens)
    if token in "^_":
        tag = "sup" if token == "^" else "sub"
        return f"<{tag}>{_argument(tokens)}</{tag}>"
    if not token.startswith("\\"):
        return " " if token.isspace() else "−" if token == "-" else html.escape(token, quote=False)
    word = token[1:]
    if word in ("frac", "tfrac", "dfrac"):
        return f"{_grouped(_argument(tokens))}/{_grouped(_argument(tokens))}"
    if word == "sqrt":
        return f"√{_grouped(_argument(tokens))}"
    if word in _ACCENTS:
        return "".join(c + _ACCENTS[word] if c.isalpha() else c for c in _argument(tokens))
    return _WORDS.get(word, word)


def _argument(tokens: Iterator[str]) -> str:
    token = next((t for t in tokens if not t.isspace()), "")
    return _one(token, tokens) if token else ""


def _grouped(text: str) -> str:
    return text if len(re.sub(r"<[^>]*>", "", text)) <= 1 else f"({text})"
