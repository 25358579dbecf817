"""Find responses that name their own model, so that whoever judges them is not blind any more.

A warning and never an error: a text about a namesake ("Claude Monet") is nobody's leak, and the
organizer sees the words that were found.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from arena.events.importing.checking.introductions import find_chat_token, find_introduction

# Families by the beginnings of words in their names, and who makes them. Only what is common
# knowledge; the organization that the organizer names comes on top.
VENDORS = {
    "gpt": "OpenAI",
    "chatgpt": "OpenAI",
    "o1": "OpenAI",
    "o3": "OpenAI",
    "o4": "OpenAI",
    "davinci": "OpenAI",
    "codex": "OpenAI",
    "claude": "Anthropic",
    "gemini": "Google",
    "gemma": "Google",
    "palm": "Google",
    "bard": "Google",
    "llama": "Meta",
    "mistral": "Mistral",
    "mixtral": "Mistral",
    "ministral": "Mistral",
    "magistral": "Mistral",
    "codestral": "Mistral",
    "pixtral": "Mistral",
    "qwen": "Alibaba",
    "qwq": "Alibaba",
    "deepseek": "DeepSeek",
    "grok": "xAI",
    "command": "Cohere",
    "aya": "Cohere",
    "phi": "Microsoft",
    "kimi": "Moonshot AI",
    "glm": "Zhipu",
    "chatglm": "Zhipu",
    "hunyuan": "Tencent",
    "doubao": "ByteDance",
    "minimax": "MiniMax",
    "vicuna": "LMSYS",
    "dbrx": "Databricks",
    "stablelm": "Stability AI",
    "falcon": "TII",
    "luminous": "Aleph Alpha",
    "jurassic": "AI21",
    "jamba": "AI21",
    "olmo": "Ai2",
    "tulu": "Ai2",
    "yi": "01.AI",
    "ernie": "Baidu",
    "nemotron": "NVIDIA",
    "granite": "IBM",
}
# Named all the time for what else they do: a leak only where a text says "made by" them.
GENERAL_VENDORS = frozenset(
    {"Alibaba", "Baidu", "Databricks", "Google", "IBM", "Meta", "Microsoft", "NVIDIA", "Tencent"}
)
# What else a vendor's models call themselves, whatever the model at hand is called.
PRODUCTS = {
    "OpenAI": ("ChatGPT",),
    "Google": ("DeepMind", "Google AI", "Google Bard", "Google Gemini"),
    "Meta": ("Meta AI",),
    "Mistral": ("Le Chat",),
    "Alibaba": ("Alibaba Cloud", "Qianwen", "Tongyi"),
    "Baidu": ("Wenxin",),
    "Microsoft": ("Microsoft Copilot",),
    "IBM": ("watsonx",),
    "Zhipu": ("ChatGLM",),
}
# Parts of names that are ordinary words of answers.
ORDINARY_WORDS = frozenset(
    """
    alpha and assistant base best big bison chat code coder command control dense direct expert
    extended falcon fast final flash for general generation high home instant instruct instruction
    labs language large latest light lite llm long luminous math medium micro mini model models
    multi nano new next one open original plus preview prime project python reasoning research
    school small standard stable super supreme system team test text the thinking tiny turbo ultra
    university version vision with
    """.split()  # noqa: SIM905 - easier to read than a list of quotes
)
MADE_BY_PREFIX = r"\b(?:developed|trained|created|made|built) by (?:the )?(?:team at )?"
CALLED_PREFIX = r"\b(?:i am|i'm|i’m|my name is|this is|as) (?:an? |the )?(?:ai |model |assistant )*"
OPENINGS = ("i am a", "i'm a", "i’m a", "as a")
MADE_BY = re.compile(
    r"\b(?:i am|i'm|i’m|as) an? (?:large |ai |artificial intelligence )*(?:language )?"
    r"(?:model|assistant|ai)\b[^.\n]{0,40}?\b(?:by|from) (?P<who>[A-Z]\w*(?: [A-Z]\w*)?)",
    re.IGNORECASE,
)


def find_leak(text: str, model: str, organization: str = "") -> str:
    """The words by which a response names its own model or vendor; empty where it does not.

    The competitor's name tells what to look for; and whatever it is called, a text that introduces
    itself as one of the assistants everybody knows gives it away, and so does a chat template.
    """
    lowered = text.casefold()
    if token := find_chat_token(text):
        return token
    needles, pattern = leak_patterns(model, organization)
    # Plain substring search first: on most texts nothing of the name is there at all.
    if any(needle in lowered for needle in needles) and (found := pattern.search(text)):
        return found[0]
    if any(opening in lowered for opening in OPENINGS):
        found = MADE_BY.search(text)
        if found and found["who"][0].isupper():
            return " ".join(found[0].split())
    return find_introduction(text, lowered)


def is_model_family(word: str) -> bool:
    """Whether a word begins as the models of a known family are called."""
    return any(True for _vendor in vendors_of(re.split(r"[^a-z]", word.casefold())[0]))


@lru_cache(maxsize=2048)
def leak_patterns(model: str, organization: str) -> tuple[tuple[str, ...], re.Pattern[str]]:
    """What to look for in the responses of a model: substrings, and the pattern that decides."""
    words = re.findall(r"[^\W_]+", model)
    vendors = {vendor for word in words for vendor in vendors_of(word)}
    names = {part for part in words if is_distinctive(part)}
    # "Late Shift Labs" is no reason to suspect everybody who writes "late".
    makers = {part for part in re.findall(r"[^\W_]+", organization) if is_distinctive(part)} - names
    names.update(vendors - GENERAL_VENDORS, [organization] if organization else [])
    names.update(product for vendor in vendors for product in PRODUCTS.get(vendor, ()))
    patterns = [re.escape(name) for name in sorted(names, key=len, reverse=True)]
    patterns += [rf"(?-i:{re.escape(part)})" for part in sorted(makers)]
    patterns += [MADE_BY_PREFIX + re.escape(vendor) for vendor in sorted(vendors & GENERAL_VENDORS)]
    needles = names | makers | vendors
    if len("".join(words)) > 3 and model.casefold() not in ORDINARY_WORDS:
        # The whole name, however its parts are joined: GPT-4, GPT 4, gpt4.
        patterns.insert(0, r"[\W_]{0,2}".join(re.escape(word) for word in words))
        needles = needles | {words[0]}
    if words and len(words[0]) > 2 and words[0].casefold() not in ORDINARY_WORDS:
        patterns.append(CALLED_PREFIX + re.escape(words[0]))
        needles = needles | {words[0]}
    pattern = re.compile(rf"\b(?:{'|'.join(patterns)})\b" if patterns else r"(?!)", re.IGNORECASE)
    return tuple(needle.casefold() for needle in needles), pattern


def is_distinctive(part: str) -> bool:
    """Whether a part of a name gives it away: more than 3 characters, no number, no plain word."""
    return len(part) > 3 and not part[0].isdigit() and part.casefold() not in ORDINARY_WORDS


def vendors_of(word: str) -> Iterable[str]:
    """Who makes the family that a word of a model's name says it is of."""
    word = word.casefold()
    return (vendor for family, vendor in VENDORS.items() if word.startswith(family))
