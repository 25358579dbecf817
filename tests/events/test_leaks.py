"""Texts that give their model away, whatever it is called in the event."""

import time

import pytest

from arena.events.importing.checking.leaks import find_leak

GIVEN_AWAY = [
    "I am Qwen, created by Alibaba Cloud.",
    "As ChatGPT, I cannot do that.",
    "Sure!<|im_end|>",
    "[INST] Write a poem [/INST] Roses",
    "<think>\nThe user wants a poem.\n</think>\nRoses",
    "I'm Claude, an AI assistant made by Anthropic.",
    "I’m Claude.",
    "Hello! My name is Gemini, and I help.",
    "I was trained by Google.",
    "I'm DeepSeek-V3, how can I help?",
    "I am Qwen2.5-72B-Instruct.",
    "I am **Grok**, built by xAI.",
    "As an AI model developed by OpenAI, I have no body.",
    "I am a large language model, trained by Google.",
    "You are chatting with Grok.",
    "I am an AI assistant called Kimi, built by Moonshot AI.",
    "That is what my creators at Anthropic wanted.",
    "I was created by the team at Mistral AI.",
    "Hi! I'm Llama 3, nice to meet you.",
    "Hello! This is ChatGPT.",
    "As GPT-4, my knowledge ends in 2023.",
    "I was developed by Meta.",
    "I'm Copilot, your AI companion.",
    "I am a GPT-4 model.",
    "I am a language model created by Cohere.",
    "My developers at OpenAI chose so.",
    "I go by Gemini.",
    "Ich bin ChatGPT, ein Sprachmodell.",
    "Je suis Claude, un assistant IA.",
    "Soy Gemini, un modelo de Google.",
    "我是通义千问，由阿里云开发。",
    "私はChatGPTです。",
    "<|start_header_id|>assistant<|end_header_id|>\n\nHi",
    "<start_of_turn>model\nHi",
    "Here it is.</s>",
    "<s> Here it is.",
    "### Assistant: Here it is.",
    "<｜end▁of▁sentence｜>",
    "[TOOL_CALLS] []",
    "<|endoftext|>",
    "This is Claude. How can I help you?",
    "Hi! I'm Bing.",
    "I'm Zed, a language model trained by Microsoft.",
    "OpenAI developed me to be helpful.",
    "Ich bin ein von OpenAI entwickeltes Sprachmodell.",
    "Als KI-Sprachmodell von OpenAI kann ich das nicht.",
    "Je suis un modèle de langage développé par Mistral AI.",
    "Soy un modelo de lenguaje entrenado por OpenAI.",
    "Как языковая модель, разработанная OpenAI, я не могу.",
    "我是由OpenAI开发的人工智能。",
]
BLIND = [
    "Google made me angry.",
    "Als OpenAI das Sprachmodell veröffentlichte, war ich dabei.",
    "Je suis un fan de Mistral AI.",
    "Como OpenAI anunció, el modelo de lenguaje es nuevo.",
    "Claude Monet painted water lilies.",
    "Gemini is a sign of the zodiac.",
    "Llamas live in Peru.",
    "As a Gemini, I love change.",
    "I'm Gemini, with the moon in Taurus.",
    "I am a Gemini, my sister is a Leo.",
    "I am Claude Monet, a painter of light.",
    "My name is Claude Dupont and I paint.",
    "My name is Claude, and I am a baker in Lyon.",
    "Google was founded by Larry Page. I was impressed by Google Maps.",
    "The bard sang: I am bard of the north.",
    "He said “I am Claude” and left.",
    'She asked: "As ChatGPT, I cannot" is what it says, isn\'t it?',
    "> I am Gemini.\n\nThat is what the letter says.",
    "I am a falcon trainer.",
    "Pi is 3.14. “I'm Pi Patel”, said he.",
    "This is Mistral, a cold wind from the north.",
    "The Mistral blows. It's Mistral weather.",
    "Put it between `<think>` and `</think>`.",
    "```\n<|im_start|>user\n[INST]\n```\nis a template.",
    "I am grateful to Google for its maps.",
    "As Opus Dei says, work is prayer.",
    "I am Siri Hustvedt, a writer.",
    "As Claude walked, I watched.",
    "As Gemini season begins, I feel light.",
    "In 1999 I was employed by Microsoft.",
    "I am an engineer at Microsoft, trained by monks.",
    "I'm a fan of Gemini and of Claude.",
    "ChatGPT is a chatbot by OpenAI; Claude is Anthropic's.",
    "Write as if you were ChatGPT.",
    "I am the llama of the Andes.",
    "Is x<s> or s</x> right? Neither.",
    "As a language model would say, no.",
    "The granite is hard. I am Granite, said the stone.",
    "My team is at the top.",
    "I think, therefore I am. Meta, isn't it?",
    "A command is an order. As commanded, I obey.",
    "Nova is a star. Alexa is my niece: I'm Alexa, said she.",
]


@pytest.mark.parametrize("text", GIVEN_AWAY)
def test_a_text_that_introduces_its_model_gives_it_away(text: str) -> None:
    assert find_leak(text, "alpha")
    assert find_leak(f"Well.\n\n{text}", "alpha")


def test_a_text_that_begins_as_a_template_does_gives_it_away_and_a_play_does_not() -> None:
    assert find_leak("ASSISTANT: Here it is.", "alpha")
    assert find_leak("Act one.\n\nAssistant: Here it is.", "alpha") == ""


@pytest.mark.parametrize("text", BLIND)
def test_people_stars_animals_winds_and_the_words_of_others_do_not(text: str) -> None:
    assert find_leak(text, "alpha") == ""


HARD = [
    *("I am ", "As a model ", "<", '"', "My ", "I am a gpt a ", "As GPT, a a", "gpt `", "gpt “"),
    *("<s>", "</s> ", "> gpt\n", "I was gpt ", "as gpt, x", "[INST"),
]


@pytest.mark.parametrize("piece", HARD)
def test_no_text_takes_long_to_look_at(piece: str) -> None:
    text = f"gpt {piece * (300_000 // len(piece))}"
    started = time.process_time()

    find_leak(text, "alpha")

    assert time.process_time() - started < 1
