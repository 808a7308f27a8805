"""The console: pages for people, over the services of `runtime/services`.

Belongs here: pages (`pages/`), pictures drawn as SVG (`pictures/`), login and sessions, live changes. Everything is read and decided
through `Offers.call`. Never here: a permission check, a decision of its own, a request to another machine but the login's, text of others
that is not escaped.
"""
