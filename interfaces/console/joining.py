"""The console joins the web application: its pages and forms, login and logout, what it serves unchanged, and the live stream."""

from pathlib import Path

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response

from core.domain.errors import InvalidInput
from interfaces.console import guarding
from interfaces.console.entering import Entrance
from interfaces.console.live import Hub
from interfaces.console.pages.table import ROUTES
from interfaces.console.sessions import Desk
from interfaces.console.visiting import SEE_OTHER, THEME, Answer, Visit, Visiting, inside
from interfaces.web.house import House

STATIC = Path(__file__).parent / "static"
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".txt": "text/plain"}
A_YEAR = 31_536_000


def join(app: FastAPI, house: House) -> None:
    """Nothing is joined where nobody can log in."""
    kept = house.offers.ports.sessions
    if kept is None:
        return
    desk = Desk(house, kept)
    house.visitors.append(desk.visitor)
    visiting, entrance, hub = Visiting(house, desk), Entrance(desk), Hub(desk)
    house.frames.append(visiting.framed)
    app.add_middleware(guarding.Headers)
    for route in ROUTES:
        made = visiting.form(route.view) if route.sends else visiting.page(route.view)
        app.add_api_route(route.path, made, methods=["POST" if route.sends else "GET"], include_in_schema=False, response_model=None)
    for path, method, view in (
        ("/login", "GET", entrance.login),
        ("/login", "POST", entrance.sent),
        ("/login/oidc", "GET", entrance.away),
        ("/login/back", "GET", entrance.back),
        ("/logout", "POST", entrance.logout),
        ("/again", "POST", entrance.again),
        ("/theme", "POST", visiting.form(theme)),
        ("/live", "GET", hub.stream),
        ("/static/{name}", "GET", static),
    ):
        app.add_api_route(path, view, methods=[method], include_in_schema=False, response_model=None)


async def theme(visit: Visit) -> Answer:
    """Without a script; with one the browser keeps it itself."""
    answer: Response = RedirectResponse(inside(visit.form.get("back", "/")), SEE_OTHER)
    chosen = visit.form.get("theme", "")
    if chosen not in ("dark", "light"):
        raise InvalidInput("there is a dark and a light theme", mend="choose one of them")
    answer.set_cookie(THEME, chosen, max_age=A_YEAR, samesite="lax", path="/")
    return answer


async def static(request: Request) -> Response:
    """One of the few files there are, by its name."""
    name = str(request.path_params["name"])
    if name not in {path.name for path in STATIC.iterdir()}:
        return Response(status_code=404)
    path = STATIC / name
    return FileResponse(path, media_type=TYPES.get(path.suffix, "text/plain"), headers={"Cache-Control": "no-cache"})
