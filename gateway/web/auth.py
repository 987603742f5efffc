"""From the Authorization header to a principal who may do what is asked."""

from starlette.requests import Request

from gateway.access.directory import Directory
from gateway.access.policy import Action, allow
from gateway.access.principal import Principal
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.web.turned import Turned


class Callers:
    """Who is calling, and whether they may.

    Args:
        directory: the credentials in force.
    """

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def principal(self, request: Request) -> Principal:
        """Give the caller, and leave its name where the log line of this request finds it.

        Raises:
            Turned: 401, no credential, more than one, or one that is not known.
        """
        known: Principal | None = getattr(request.state, "principal", None)
        if known is not None:
            return known
        stated = request.headers.getlist("authorization")
        found = self._directory.authenticate(stated[0]) if len(stated) == 1 else None
        if found is None:
            text = "The credential is missing or not known."
            raise Turned(401, Issue(code="CREDENTIAL_INVALID", location="", text=text), challenge=True)
        request.state.principal = found
        return found

    def itself(self, request: Request, action: Action) -> Principal:
        """Give a caller who may do this with what is its own.

        Raises:
            Turned: 401 or 403.
        """
        caller = self.principal(request)
        if not allow(caller, action, caller.tenant):
            raise forbidden()
        return caller

    def partner(self, request: Request, action: Action) -> OdsCode:
        """Give the one tenant a partner speaks for, if it may do this in its own name.

        Raises:
            Turned: 401 or 403.
        """
        tenant = self.itself(request, action).tenant
        if tenant is None:
            raise forbidden()
        return tenant

    def of_tenant(self, request: Request, action: Action, tenant: OdsCode | None) -> Principal:
        """Give a caller who may do this with what belongs to `tenant`; None means the gateway as a whole.

        Raises:
            Turned: 401 or 403; the same 403 whether the tenant exists or not (I9).
        """
        caller = self.principal(request)
        if not allow(caller, action, tenant):
            raise forbidden()
        return caller


def forbidden() -> Turned:
    """Give the one answer to a known caller who may not."""
    return Turned(403, Issue(code="NOT_ALLOWED", location="", text="This credential may not do this."))
