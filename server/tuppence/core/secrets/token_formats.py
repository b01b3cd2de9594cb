"""The formats of tokens that begin with a public prefix, one row a vendor, as the vendors document them.

A row is a kind, the prefixes, the characters that follow and how many there are. The prefix stays readable in a
placeholder, because it says nothing but whose token it is.
"""

from __future__ import annotations

from dataclasses import dataclass

_ALNUM = "A-Za-z0-9"
_WORD = r"\w-"
_HEX = "0-9a-f"


@dataclass(frozen=True, slots=True)
class TokenFormat:
    """One vendor's tokens."""

    kind: str
    """The name shown to the user, such as ``AWS key``."""
    prefixes: tuple[str, ...]
    """Literal beginnings, any of them."""
    characters: str
    """What follows, as the inside of a character class."""
    least: int
    """How many of them at least."""
    most: int
    """How many of them at most."""


def _row(kind: str, prefixes: str, characters: str, least: int, most: int = 0) -> TokenFormat:
    return TokenFormat(kind, tuple(prefixes.split()), characters, least, most or least)


TOKENS: tuple[TokenFormat, ...] = (
    _row("AWS key", "AKIA ASIA ABIA ACCA", "A-Z0-9", 16),
    _row("AWS Bedrock key", "ABSK", "A-Za-z0-9+/=", 100, 300),
    _row("GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_", _ALNUM, 30, 255),
    _row("GitHub token", "github_pat_", r"\w", 40, 255),
    _row(
        "GitLab token",
        "glpat- gldt- glrt- glrtr- glcbt- glptt- glft- glimt- glagent- gloas- glsoat- glffct-",
        r"\w.-",
        20,
        300,
    ),
    _row("GitLab token", "GR1348941", _WORD, 20, 60),
    _row("Bitbucket token", "ATBB", _ALNUM, 24, 60),
    _row("Atlassian token", "ATATT3 ATCTT3", r"\w=-", 50, 300),
    _row(
        "Slack token",
        "xoxb- xoxp- xoxa- xoxr- xoxs- xoxo- xoxc- xoxd- xoxe- xoxe.xoxp- xoxe.xoxb- xapp-",
        r"\w%.-",
        10,
        300,
    ),
    _row("Stripe key", "sk_live_ sk_test_ sk_prod_ rk_live_ rk_test_ rk_prod_", _ALNUM, 10, 250),
    _row("webhook secret", "whsec_", r"A-Za-z0-9+/=", 20, 100),
    _row("Anthropic key", "sk-ant-", _WORD, 20, 200),
    _row("OpenRouter key", "sk-or-", _WORD, 20, 120),
    _row("OpenAI key", "sk-proj- sk-svcacct- sk-admin- sk-None-", _WORD, 20, 250),
    _row("OpenAI key", "sess-", _ALNUM, 40, 60),
    _row("API key", "sk-", _ALNUM, 20, 100),
    _row("Google API key", "AIza", _WORD, 35),
    _row("Google OAuth token", "ya29.", _WORD, 20, 500),
    _row("Google OAuth secret", "GOCSPX-", _WORD, 20, 40),
    _row("Google refresh token", "1//0", _WORD, 30, 150),
    _row("Firebase key", "AAAA", r"\w:-", 140, 200),
    _row("Hugging Face token", "hf_ api_org_", _ALNUM, 30, 60),
    _row("npm token", "npm_", _ALNUM, 36),
    _row("PyPI token", "pypi-", _WORD, 50, 250),
    _row("RubyGems key", "rubygems_", _HEX, 48),
    _row("crates.io token", "cio", _ALNUM, 32),
    _row("Docker token", "dckr_pat_ dckr_oat_", _WORD, 20, 60),
    _row("NuGet key", "oy2", "a-z0-9", 43),
    _row("Clojars token", "CLOJARS_", "a-z0-9", 60),
    _row("DigitalOcean token", "dop_v1_ doo_v1_ dor_v1_", _HEX, 64),
    _row("Cloudflare key", "v1.0-", r"0-9a-f-", 100, 200),
    _row("SendGrid key", "SG.", r"\w.-", 40, 100),
    _row("Mailgun key", "key-", _HEX, 32),
    _row("Brevo key", "xkeysib- xsmtpsib-", r"A-Za-z0-9-", 40, 120),
    _row("Twilio key", "SK", _HEX, 32),
    _row("Shopify token", "shpat_ shpca_ shppa_ shpss_ shptka_", "0-9a-fA-F", 32),
    _row("Square token", "sq0atp- sq0csp- sq0idp- EAAAE", _WORD, 22, 80),
    _row("Braintree token", "access_token$production$ access_token$sandbox$", r"0-9a-z$", 30, 80),
    _row("PayPal token", "A21AA", _WORD, 60, 150),
    _row("Databricks token", "dapi", r"0-9a-f-", 32, 40),
    _row("Doppler token", "dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit.", r"\w.-", 40, 80),
    _row("Fly.io token", "fo1_ fm1_ fm1r_ fm1a_ fm2_", r"\w+/=-", 40, 900),
    _row("Netlify token", "nfp_ nfc_ nfo_", _ALNUM, 30, 60),
    _row("Supabase key", "sbp_ sb_secret_", r"\w-", 20, 60),
    _row("PlanetScale secret", "pscale_tkn_ pscale_pw_ pscale_oauth_", r"\w=.-", 30, 70),
    _row("Neon key", "napi_", _ALNUM, 40, 80),
    _row("Linear key", "lin_api_ lin_oauth_", _ALNUM, 32, 70),
    _row("Notion token", "ntn_ secret_", _ALNUM, 40, 60),
    _row("Figma token", "figd_ figu_", _WORD, 36, 60),
    _row("Dropbox token", "sl.", r"\w=-", 60, 200),
    _row("New Relic key", "NRAK- NRII- NRAA- NRJS- NRRA-", _WORD, 19, 60),
    _row("Grafana token", "glsa_ glc_", r"\w+/=", 32, 300),
    _row("Sentry token", "sntrys_ sntryu_ sntryi_", r"\w+/=-", 40, 300),
    _row("Honeycomb key", "hcaik_ hcbik_", "a-z0-9", 40, 80),
    _row("Pulumi token", "pul-", _HEX, 40),
    _row("Vault token", "hvs. hvb. hvr.", _WORD, 24, 200),
    _row("Postman key", "PMAK-", r"0-9a-f-", 50, 70),
    _row("ReadMe key", "rdme_", "a-z0-9", 60, 80),
    _row("EasyPost key", "EZAK EZTK", _ALNUM, 54),
    _row("Shippo token", "shippo_live_ shippo_test_", _HEX, 40),
    _row("Typeform token", "tfp_", r"\w.=-", 50, 70),
    _row("Contentful token", "CFPAT-", _WORD, 43),
    _row("Adobe secret", "p8e-", _ALNUM, 32),
    _row("Alibaba key", "LTAI", _ALNUM, 12, 30),
    _row("Tencent key", "AKID", _ALNUM, 28, 40),
    _row("Yandex key", "AQVN t1.", r"\w.=-", 35, 200),
    _row("Artifactory key", "AKCp", _ALNUM, 60, 80),
    _row("Sonar token", "squ_ sqp_ sqa_", _HEX, 40),
    _row("Buildkite token", "bkua_ bkct_", _HEX, 40),
    _row("CircleCI token", "CCIPAT_ CCIPRJ_", r"\w-", 40, 80),
    _row("Tailscale key", "tskey-", r"A-Za-z0-9-", 20, 80),
    _row("Infracost key", "ico-", _ALNUM, 32),
    _row("LangSmith key", "lsv2_pt_ lsv2_sk_", r"\w", 32, 60),
    _row("Groq key", "gsk_", _ALNUM, 40, 70),
    _row("Replicate token", "r8_", _ALNUM, 36, 45),
    _row("Perplexity key", "pplx-", _ALNUM, 40, 60),
    _row("xAI key", "xai-", _ALNUM, 60, 100),
    _row("Fireworks key", "fw_", _ALNUM, 20, 40),
    _row("Pinecone key", "pcsk_", r"\w", 50, 90),
    _row("age key", "AGE-SECRET-KEY-1", "A-Z0-9", 58),
    _row("wallet key", "xprv", _ALNUM, 100, 112),
    _row("Facebook token", "EAA", _ALNUM, 80, 300),
    _row("Twitter token", "AAAAAAAAAAAAAAAAAAAAA", r"\w%", 60, 150),
    _row("Mapbox token", "sk.eyJ", r"\w.-", 60, 200),
    _row("1Password token", "ops_eyJ", r"\w+/=.-", 100, 1000),
    _row("Dynatrace token", "dt0c01. dt0s01. dt0s16.", r"A-Z0-9.", 60, 120),
    _row("Flutterwave key", "FLWSECK-", r"\w-", 20, 60),
    _row("Vercel token", "vcp_ vci_ vca_ vcr_ vck_", _ALNUM, 24, 80),
    _row("Mercado Pago token", "APP_USR-", r"\w-", 40, 90),
    _row("Sourcegraph token", "sgp_ sgd_", r"\w", 40, 100),
    _row("Harness token", "pat. sat.", r"\w.-", 60, 120),
    _row("Duffel token", "duffel_live_ duffel_test_", r"\w=-", 40, 60),
    _row("Frame.io token", "fio-u-", r"\w=-", 60, 80),
    _row("Scalingo token", "tk-us-", _WORD, 40, 60),
    _row("Prefect key", "pnu_ pnb_", _ALNUM, 36, 60),
    _row("Defined Networking token", "dnkey-", r"A-Za-z0-9=_-", 60, 100),
    _row("Trello token", "ATTA", "0-9a-fA-F", 64, 76),
    _row("Neon password", "npg_", _ALNUM, 12, 40),
    _row("Google API key", "AQ.", _WORD, 40, 80),
    _row("Cerebras key", "csk-", _ALNUM, 40, 60),
    _row("Firecrawl key", "fc-", _HEX, 32),
    _row("NVIDIA key", "nvapi-", _WORD, 40, 80),
    _row("Tinybird token", "p.eyJ", r"\w.-", 60, 200),
    _row("Apify token", "apify_api_", _ALNUM, 30, 50),
    _row("Deno token", "ddp_ ddw_", _ALNUM, 30, 60),
)
"""Every format that a prefix tells."""
