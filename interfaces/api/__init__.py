"""The REST API: a route for each service of the offers. Never here: a permission check, a decision."""
