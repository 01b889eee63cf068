"""The dashboard's entry point: `streamlit run app.py`, or better `fairneuron app`.

Imported by the server, it builds the ASGI application: the worker lives and dies with it, /healthz answers, and the
fonts are served from here. Run as a script (once per browser interaction), it shows the page that the address names.
"""

import sys
from pathlib import Path

import streamlit as st

ROOT = Path(__file__).resolve().parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

if __name__ == "__main__":
    from pages.ui.shell import show_page

    show_page()
else:
    from starlette.routing import Mount, Route
    from starlette.staticfiles import StaticFiles

    from pages.ui.serving import health, log_script_error, navigate_by_table, to_overview, with_worker

    navigate_by_table()
    app = st.App(
        __file__,
        lifespan=with_worker,
        routes=[
            Route("/healthz", health),
            Route("/overview", to_overview),
            Mount("/fonts", StaticFiles(directory=ROOT / "assets" / "fonts")),
        ],
        on_script_error=log_script_error,
    )
