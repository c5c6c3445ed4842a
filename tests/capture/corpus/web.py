"""Requests and responses of requests, httpx, Starlette, FastAPI, Flask and Django: method, URL, status."""

import django
import flask
import httpx
import requests
import starlette.datastructures
import starlette.requests
import starlette.responses
import werkzeug.datastructures
import werkzeug.test
import werkzeug.wrappers
from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.test import RequestFactory

settings.configure(ALLOWED_HOSTS=["*"], DEBUG=False)
django.setup()

URL = "https://ann:hidden-pw@example.org/orders?page=2&token=hidden-token"
PLAIN = "https://example.org/orders?page=2"
HEADERS = {"Authorization": "Bearer hidden-token", "Cookie": "session=hidden", "Accept": "text/html"}


def requests_response(status: int = 200) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response.url = PLAIN
    response.request = requests.Request("GET", PLAIN).prepare()
    response._content = b"hidden-body"
    return response


def starlette_scope(**more: object) -> dict[str, object]:
    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "https",
        "server": ("example.org", 443),
        "path": "/orders",
        "query_string": b"page=2&token=hidden-token",
        "headers": [(b"host", b"example.org"), (b"authorization", b"Bearer hidden-token")],
    }
    return scope | more


def werkzeug_request() -> werkzeug.wrappers.Request:
    return werkzeug.wrappers.Request(werkzeug.test.create_environ("/orders?page=2", "https://example.org"))


def flask_request() -> flask.Request:
    environ = werkzeug.test.create_environ("/orders?page=2", "https://example.org", method="POST", headers=HEADERS)
    return flask.Request(environ)


APPLICATION = flask.Flask("shop", root_path="/srv/shop", instance_path="/srv/shop/instance")
CONTEXT = APPLICATION.test_request_context("/orders?page=2", base_url="https://example.org")
CONTEXT.push()

VALUES = """
requests.Request('GET', PLAIN)
requests.Request('POST', URL, headers=HEADERS, data='hidden-body')
requests.Request('GET', URL).prepare()
requests_response()
requests_response(404)
requests.Response()
requests.Session()
requests.structures.CaseInsensitiveDict(HEADERS)
httpx.Request('GET', PLAIN)
httpx.Request('POST', URL, headers=HEADERS, content=b'hidden-body')
httpx.Response(200)
httpx.Response(503, request=httpx.Request('GET', URL), text='hidden-body')
httpx.URL(URL)
httpx.URL(PLAIN)
httpx.Headers(HEADERS)
httpx.Client()
starlette.requests.Request(starlette_scope())
starlette.requests.Request(starlette_scope(method='DELETE', server=None))
starlette.requests.HTTPConnection(starlette_scope())
starlette.responses.Response('hidden-body', status_code=201)
starlette.responses.JSONResponse({'key': 'hidden-body'})
starlette.responses.RedirectResponse(PLAIN)
starlette.datastructures.URL(URL)
starlette.datastructures.Headers(HEADERS)
starlette.datastructures.Secret('hidden-secret')
starlette.datastructures.State({'a': 1})
starlette_scope()
werkzeug_request()
werkzeug.wrappers.Response('hidden-body', status=418)
werkzeug.datastructures.MultiDict([('a', '1'), ('a', '2')])
flask_request()
flask.Response('hidden-body', 201)
flask.request
flask.current_app
APPLICATION
RequestFactory().get('/orders?page=2')
RequestFactory().post('/orders', {'password': 'hidden-pw'}, secure=True)
HttpResponse('hidden-body')
HttpResponse(status=404)
JsonResponse({'key': 'hidden-body'})
HttpResponseRedirect(PLAIN)
QueryDict('page=2&token=hidden-token')
HEADERS
list(HEADERS.items())
"""
