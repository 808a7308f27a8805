"""The doors of the web application, in the order in which they join."""

from collections.abc import Callable

from fastapi import FastAPI

from interfaces.api import serving as api
from interfaces.chat import joining as chats
from interfaces.console import joining as console
from interfaces.mcp import door as mcp
from interfaces.web.house import House

DOORS: tuple[Callable[[FastAPI, House], None], ...] = (api.join, mcp.join, console.join, chats.join)
