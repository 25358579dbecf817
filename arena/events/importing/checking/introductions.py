"""Texts that introduce themselves as an assistant everybody knows, or show its chat template.

Whatever the competitor is called. A person of that name, a sign of the zodiac, an animal, somebody
else's words in quotation marks and code that is about templates are none.
"""

import re

# Tokens of chat templates, and the marks of reasoning that some models leave in their answers.
CHAT_TOKEN = re.compile(
    r"<\|(?:im_start|im_end|im_sep|endoftext|end_of_text|begin_of_text|start_header_id"
    r"|end_header_id|eot_id|eom_id|python_tag|user|assistant|system|end|endofprompt|return|channel"
    r"|message|start|END_OF_TURN_TOKEN|START_OF_TURN_TOKEN|CHATBOT_TOKEN|USER_TOKEN)\|>"
    r"|<[｜|](?:begin▁of▁sentence|end▁of▁sentence|User|Assistant)[｜|]>"
    r"|\[/?INST\]|<</?SYS>>|</?(?:start|end)_of_turn>|</?think>|</?thinking>|</?reasoning>"
    r"|<eos>|<bos>|(?m:^<s>|</s>\s*$)|\[/?(?:AVAILABLE_TOOLS|TOOL_CALLS|SYSTEM_PROMPT)\]"
    r"|(?m:^###\s(?:Human|Assistant|Instruction|Response):)"
    r"|(?m:\A(?:ASSISTANT|Assistant|GPT4 Correct Assistant|<assistant>):)"
)
CHAT_TOKEN_STARTS = ("<", "[", "### ", "ssistant:", "SSISTANT:")
CODE_SPANS = re.compile(r"(?s)```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]*`")
# Speech of others: a story in which somebody says that he is Claude.
QUOTATION = re.compile(r"“[^”\n]{0,400}”|(?<!\w)\"[^\"\n]{0,400}\"|«[^»\n]{0,400}»|(?m:^>.*$)")
# Assistants that a text may introduce itself as, whatever the competitor is called; as they are
# written, so that bards, llamas and commands in lower case are none.
NAMES = (
    r"Chat ?GPT|GPT[- ]?\d(?:\.\d+)?[a-z]*|GPT|InstructGPT|Claude|Gemini|Gemma|Bard"
    r"|Bing(?: Chat| AI)?|(?:Microsoft |GitHub )?Copilot|Llama|LLaMA|Meta AI|Mistral|Mixtral"
    r"|Le Chat|Qwen\d*|(?:Tongyi )?Qianwen|QwQ|DeepSeek(?:[- ](?:V|R)\d)?|Grok|Command[- ]R\+?"
    r"|Cohere|Aya|Phi[- ]\d|Kimi|ChatGLM\d?|GLM[- ]\d|Hunyuan|Doubao|MiniMax|Vicuna|DBRX|StableLM"
    r"|Falcon|Jamba|OLMo|Olmo"
    r"|Tülu|Tulu|Yi|ERNIE(?: Bot)?|Nemotron|Granite|Pi|Perplexity|Nova|Alexa|Siri|Koala|Alpaca"
    r"|Dolly|Zephyr|Solar|SOLAR|Apertus|Reka|InternLM|Baichuan|Sonnet|Opus|Haiku|Character\.AI"
)
SELF_NAMES = (
    *("gpt", "claude", "gemini", "gemma", "bard", "bing", "copilot", "llama", "meta ai", "mistral"),
    *("mixtral", "le chat", "qwen", "qianwen", "qwq", "deepseek", "grok", "command", "cohere"),
    *("aya", "phi", "kimi", "glm", "hunyuan", "doubao", "minimax", "vicuna", "dbrx", "stablelm"),
    *(
        "falcon",
        "jamba",
        "olmo",
        "tülu",
        "tulu",
        "yi",
        "ernie",
        "nemotron",
        "granite",
        "perplexity",
    ),
    *("pi", "nova", "alexa", "siri", "koala", "alpaca", "dolly", "zephyr", "solar", "apertus"),
    *(
        "reka",
        "internlm",
        "baichuan",
        "sonnet",
        "opus",
        "haiku",
        "openai",
        "anthropic",
        "character",
    ),
    *("通义", "文心", "豆包", "智谱", "混元", "腾讯", "星火"),
    *("deepmind", "alibaba", "moonshot", "zhipu", "xai", "google", "meta", "microsoft"),
)
# What follows an assistant's name, beside a surname.
VERSIONS = r"(?:Instant|Sonnet|Opus|Haiku|Pro|Ultra|Nano|Flash|Advanced|Chat|Instruct|Large)\b"
# Characters in which an introduction is looked for.
MAX_SCANNED = 50_000
# People's names, which go on with a surname.
PERSONAL_NAMES = frozenset({"claude", "aya", "yi", "ernie", "pi", "nova", "alexa", "siri", "dolly"})
# Words of every day: they are meant as an assistant where models are spoken of near by.
EVERYDAY_WORDS = frozenset(
    """
    bard falcon aya yi pi nova alexa siri koala alpaca dolly zephyr solar sonnet opus haiku granite
    olmo ernie reka perplexity
    """.split()  # noqa: SIM905
)
# Words that a text may point at ("This is Mistral, a cold wind"), though nobody is called so.
POINTED_AT_NAMES = frozenset(
    {"claude", "gemini", "llama", "mistral", "mixtral", "kimi", "gemma", "grok"}
)
SURNAME = re.compile(rf"[ \t]+(?:(?:de|van|von|la|le|du)[ \t]+)?(?!{VERSIONS})[A-Z][a-z]+")
OCCUPATION = re.compile(r",?(?: and)? (?:I am|I[’']m|I work|I live|I was born) ")
ZODIAC = re.compile(
    r"\b(?:zodiac|horoscope|astrolog\w+|Taurus|Leo|Virgo|Libra|Scorpio|Sagittarius|Capricorn|"
    r"Aquarius|Pisces|Aries|moon|star sign|ascendant)\b",
    re.IGNORECASE,
)
ABOUT_MODELS = re.compile(
    r"\b(?:AI|A\.I\.|LLM|language models?|assistant|chatbot|OpenAI|Anthropic|Google|DeepMind|Meta"
    r"|Microsoft|Amazon|Apple|Mistral AI|Alibaba|Cohere|xAI|Moonshot|Baidu|NVIDIA|IBM|trained|"
    r"neural|virtual|[Hh]ow (?:can|may) I (?:help|assist))\b"
)
MAKERS = (
    r"OpenAI|Open AI|Anthropic|Google(?: DeepMind| AI| Research)?|DeepMind|Meta(?: AI)?"
    r"|Alibaba(?: Cloud| Group)?|Mistral(?: AI)?|DeepSeek|xAI|Cohere|Moonshot(?: AI)?|Zhipu(?: AI)?"
    r"|Tencent|ByteDance|Baidu|Microsoft|NVIDIA|Nvidia|IBM|Databricks|Stability AI|AI21(?: Labs)?"
    r"|Inflection(?: AI)?|LMSYS|Hugging ?Face|Aleph Alpha|Ai2|Allen AI|MiniMax"
    r"|the Technology Innovation Institute|TII|Reka(?: AI)?|Upstage|01\.AI"
)
SELF = (
    r"(?:[Ii] am|[Ii][’']m|[Mm]y name is|[Mm]y name[’']s|[Cc]all me|[Yy]ou can call me"
    r"|[Ii] go by|[Ii] identify as"
    r"|[Ii]ch bin|[Mm]ein Name ist|[Jj]e suis|[Jj]e m[’']appelle|[Ss]oy|[Mm]e llamo|[Ss]ono"
    r"|[Mm]i chiamo|[Ee]u sou|[Ii]k ben|[Jj]ag är)"
)
KIND = r"(?:model|assistant|chatbot|AI|LLM|bot)"
BEFORE_NAME = (
    r"(?: actually| just| indeed| in fact)?,? ?(?:called |named |known as )?"
    rf"(?:(?:an? |the |your )(?:[\w-]+ ){{0,4}}?{KIND},? (?:called |named |known as )?)?[\"“*_]*"
)
VERSION = (
    r"(?:[- ](?:[\w.]*\d[\w.-]*|Instant|Sonnet|Opus|Haiku|Pro|Ultra|Large|Chat|Instruct|Flash))*"
)
# "I am Qwen", "My name is an AI called Bard", "you are talking to Grok", "It's me, Claude".
INTRODUCTION = re.compile(
    rf"\b(?:{SELF}{BEFORE_NAME}"
    r"|(?:[Yy]ou are|[Yy]ou[’']re) (?:talking|speaking|chatting) (?:to|with) "
    r"|(?m:^|(?<=[.!?] ))(?:This is|Hi,? this is|It[’']s|[Hh]ere is|[Hh]ello from) (?:me, )?)"
    rf"(?P<name>{NAMES})\b(?![’']s?\b)"
    r"(?=\s*(?:$|[,.!;:)\"”*_–—(-]|and\b|an?\b|the\b|by\b|from\b|here\b|trained\b|made\b"
    r"|created\b|developed\b|built\b|how\b|your\b|\d|v\d|Pro\b|Ultra\b|Sonnet\b|Opus\b|Haiku\b"
    r"|Instant\b|Chat\b|Large\b|speaking\b))"
)
# "I am a GPT-4 model": after an article only with what it is, for "a Gemini" is a person.
KIND_OF = re.compile(rf"\b{SELF} (?:an? |the )[\"“*_]*(?P<name>{NAMES}){VERSION}[\"”*_]* {KIND}\b")
# The same without spaces between words.
CJK_INTRODUCTION = re.compile(
    rf"(?:我是|我叫|我的名字是|私は|저는 ?|나는 ?)(?:由[^。，]{{1,20}}(?:开发|训练)的)?"
    rf"(?P<name>{NAMES}|通义千问|文心一言|豆包|智谱清言|混元|腾讯元宝|星火)"
)
# "As ChatGPT, I cannot": the name, a comma and the speaker.
SPOKEN_AS = re.compile(
    rf"\b[Aa]s (?:an? (?:AI|language) model (?:like|such as|called|named) |an? AI,? )?"
    rf"(?P<name>{NAMES}){VERSION}(?:,[^,.\n]{{0,60}},|,)? ?(?:I\b|I[’']m\b|my (?:training|knowledge"
    r"|responses|abilities|purpose)\b)"
)
# "I was created by Anthropic", "a model trained by Google" after "I am", "my creators at OpenAI".
SELF_MADE = re.compile(
    r"\b(?:I (?:was|have been|am|'m|’m)(?: \w+){0,2}? (?:created|developed|trained|made|built"
    r"|designed|released|fine-tuned|powered|provided|operated)(?: and \w+)? by"
    rf"|{SELF},? (?:[\w.-]+, )?(?:an?|the) [^.\n]{{0,40}}?\b{KIND}\b[^.\n]{{0,40}}? (?:by|from)"
    r"|[Mm]y (?:creators?|developers?|makers?|training data|team|engineers)(?:,)?"
    r" (?:at|is|are|by|from|,))"
    r" (?:the )?(?:team |researchers |engineers |folks |people )?(?:at |of |from )?"
    rf"(?P<name>{MAKERS})\b"
    r"(?! (?:Maps|Docs|Search|Sheets|Chrome|Cloud Platform|Store|Pay|Music|Watch|Prime))"
)
# The same in other languages: "Ich bin ein von OpenAI entwickeltes Sprachmodell", and in English
# with the maker first: "OpenAI trained me".
FOREIGN_SELF = (
    r"(?:[Ii]ch bin|[Aa]ls|[Jj]e suis|[Ee]n tant que|[Ss]oy|[Cc]omo|[Ss]ono|[Cc]ome|[Ee]u sou"
    r"|[Яя] ?[-—–]?|[Кк]ак|[Ii]k ben)"
)
FOREIGN_KIND = (
    r"(?:Sprachmodell|KI-(?:Assistent|Modell)|modèle(?: de langage)?|assistant IA|modelo de lengu?"
    r"(?:aje|agem)|modelo de linguagem|asistente|assistente|modello linguistico|taalmodel"
    r"|языков(?:ая|ой) модель|модель|помощник)"
)
FOREIGN_DONE = (
    r"(?:développ|entra[iî]n|créé|desarroll|entrenad|cread|treinad|criad|desenvolvid|sviluppat"
    r"|addestrat|entwickelt|trainiert|erstellt|ontwikkeld|getraind|разработан|обучен|создан)\w*"
)
FOREIGN_MADE = re.compile(
    rf"\b{FOREIGN_SELF} [^.\n]{{0,30}}?{FOREIGN_KIND}\w*,?(?: {FOREIGN_DONE})?"
    rf"(?: (?:par|por|pela|da|de|von|van|door|компанией|в))? (?:{MAKERS})\b"
    rf"|\b(?:[Ii]ch bin|[Ii]k ben) (?:ein|een) (?:von|door) (?:{MAKERS}) {FOREIGN_DONE}"
    rf" {FOREIGN_KIND}"
    rf"|(?:我是|作为|私は|저는)[^。，,\n]{{0,12}}?(?:{MAKERS})[^。\n]{{0,12}}(?:开发|训练|開発|개발|만든)"
    rf"|\b(?:{MAKERS}) (?:created|developed|trained|designed|programmed) me\b"
)


def find_chat_token(text: str) -> str:
    """A token of a chat template that was left in a text; none in code, which may be about them."""
    if not any(start in text for start in CHAT_TOKEN_STARTS):
        return ""
    found = CHAT_TOKEN.search(CODE_SPANS.sub(" ", text))
    return found[0] if found else ""


def find_introduction(text: str, lowered: str) -> str:
    """Words by which a text introduces itself as an assistant that everybody knows."""
    if not any(name in lowered for name in SELF_NAMES):
        return ""
    plain = QUOTATION.sub(" ", CODE_SPANS.sub(" ", text[:MAX_SCANNED]))
    for pattern in (INTRODUCTION, KIND_OF, SPOKEN_AS, SELF_MADE, CJK_INTRODUCTION):
        for found in pattern.finditer(plain):
            if is_person(found, plain):
                continue
            return " ".join(found[0].split())
    made = FOREIGN_MADE.search(plain)
    return " ".join(made[0].split()) if made else ""


def is_person(found: re.Match[str], text: str) -> bool:
    """Whether the name is a person's ("Claude Monet", "Claude, and I am a baker"), a sign of the
    zodiac, or a wind, and nobody's assistant."""
    name = found["name"].casefold()
    after = text[found.end("name") : found.end("name") + 80]
    near = text[max(found.start() - 60, 0) : found.end() + 160]
    if name in PERSONAL_NAMES and (SURNAME.match(after) or OCCUPATION.match(after)):
        return not ABOUT_MODELS.search(after)
    if name == "gemini" and ZODIAC.search(near):
        return True
    is_pointed_at = found[0].startswith(("This", "It", "Here", "here"))
    if name in EVERYDAY_WORDS or (is_pointed_at and name in POINTED_AT_NAMES):
        return not ABOUT_MODELS.search(near)
    return False
