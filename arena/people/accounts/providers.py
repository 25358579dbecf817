"""Social sign-in providers, configured by the environment."""

from typing import Any

import environ

HUGGING_FACE = "https://huggingface.co"
# Where each sign-in redirects to: the content security policy must allow it as a form target.
PROVIDER_ORIGINS = {
    "github": "https://github.com",
    "google": "https://accounts.google.com",
    "huggingface": HUGGING_FACE,
}
CLIENT_SECRETS = [f"{name.upper()}_CLIENT_SECRET" for name in PROVIDER_ORIGINS]


def list_configured(env: environ.Env) -> list[str]:
    """Names of the providers with a client in the environment (`GITHUB_CLIENT_ID` etc.)."""
    return [name for name in PROVIDER_ORIGINS if env.str(f"{name.upper()}_CLIENT_ID", "")]


def build_social_providers(env: environ.Env) -> dict[str, Any]:
    """allauth's `SOCIALACCOUNT_PROVIDERS`; providers without a client are left out.

    Scopes are the minimum that identifies a person; Hugging Face is plain OpenID Connect.
    """
    providers: dict[str, Any] = {}
    for name in list_configured(env):
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


def list_form_targets(env: environ.Env) -> list[str]:
    """Origins that a sign-in form may redirect to."""
    return [PROVIDER_ORIGINS[name] for name in list_configured(env)]
