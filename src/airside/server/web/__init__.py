"""The Control Tower: pages rendered by the server from the same operations as the API.

Promises: a page is a pure function of a caller (`Platform.call` bound to an actor) and a query; its state is in the
URL; every page with data answers at `.json` too, with unrounded values. Never: SQL, a file of the user's, an inline
script or style, a request to another host.

The edge asks `airside.server.web.routes.respond` for pages and `airside.server.web.static.static_file` for files.
"""
