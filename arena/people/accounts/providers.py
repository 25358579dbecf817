"""Social identities that can be attached to an account: those the environment configures."""

from typing import Any

import environ

HUGGING_FACE = "https://huggingface.co"
# Where each sign-in leads: the content security policy has to let the form go there.
ORIGINS = {
    "github": "https://github.com",
    "google": "https://accounts.google.com",
    "huggingface": HUGGING_FACE,
}


def configured(env: environ.Env) -> list[str]:
    """Names of the providers with a client in the environment (`GITHUB_CLIENT_ID` and so on)."""
    return [name for name in ORIGINS if env.str(f"{name.upper()}_CLIENT_ID", "")]


def social_providers(env: environ.Env) -> dict[str, Any]:
    """allauth's `SOCIALACCOUNT_PROVIDERS`; a provider without a client is shown nowhere.

    Scopes are the least that identify a person; Hugging Face is plain OpenID Connect.
    """
    providers: dict[str, Any] = {}
    for name in configured(env):
        app = {
            "client_id": env.str(f"{name.upper()}_CLIENT_ID"),
            "secret": env.str(f"{name.upper()}_CLIENT_SECRET"),
        }
        if name == "huggingface":
            app |= {
                "provider_id": "huggingface",
                "name": "Hugging Face",
                "settings": {"server_url": HUGGING_FACE},
            }
            providers["openid_connect"] = {"APPS": [app], "SCOPE": ["openid", "email"]}
        elif name == "google":
            providers["google"] = {"APPS": [app], "SCOPE": ["email"], "OAUTH_PKCE_ENABLED": True}
        else:
            providers["github"] = {"APPS": [app], "SCOPE": ["user:email"]}
    return providers


def form_targets(env: environ.Env) -> list[str]:
    """Origins that a sign-in form may lead to."""
    return [ORIGINS[name] for name in configured(env)]
