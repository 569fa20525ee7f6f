"""Service Quotas for EC2: the vCPU quotas of the account, their defaults, and requests to raise
them.

A request is kept as PENDING and changes nothing, as with AWS at
first.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING

from fleet.sandbox.cloud.capacity import DEFAULT_QUOTAS
from fleet.sandbox.cloud.documents import Answer, ApiError
from fleet.sandbox.cloud.json_api import Action, Parameters, answer, page

if TYPE_CHECKING:
    from fleet.sandbox.cloud.call import Call
    from fleet.sandbox.cloud.state import CloudState


class ServiceQuotas:
    """Answers for one account."""

    def __init__(self, state: CloudState) -> None:
        self._state = state
        self._requests: list[tuple[str, Parameters]] = []

    def clear(self) -> None:
        """Forget every request."""
        self._requests.clear()

    def handle(self, call: Call) -> Answer:
        """Answers one call."""
        actions: dict[str, Action] = {
            "ListServiceQuotas": self._list,
            "GetServiceQuota": self._get,
            "ListAWSDefaultServiceQuotas": self._list_defaults,
            "GetAWSDefaultServiceQuota": self._get_default,
            "RequestServiceQuotaIncrease": self._request,
            "ListRequestedServiceQuotaChangeHistoryByQuota": self._history,
            "ListRequestedServiceQuotaChangeHistory": self._history,
        }
        return answer(call, actions)

    def _list(self, call: Call, parameters: Parameters) -> Parameters:
        _require_ec2(parameters)
        return page(
            "Quotas", [self._quota(call, code) for code in DEFAULT_QUOTAS], parameters, default=100
        )

    def _get(self, call: Call, parameters: Parameters) -> Parameters:
        return {"Quota": self._quota(call, _code(parameters))}

    def _list_defaults(self, call: Call, parameters: Parameters) -> Parameters:
        _require_ec2(parameters)
        return page(
            "Quotas",
            [self._default(call, code) for code in DEFAULT_QUOTAS],
            parameters,
            default=100,
        )

    def _get_default(self, call: Call, parameters: Parameters) -> Parameters:
        return {"Quota": self._default(call, _code(parameters))}

    def _quota(self, call: Call, code: str) -> Parameters:
        return self._described(call, code, self._state.quotas.limit(code, region=call.region))

    def _default(self, call: Call, code: str) -> Parameters:
        return self._described(call, code, DEFAULT_QUOTAS[code][2])

    def _described(self, call: Call, code: str, value: int) -> Parameters:
        account = self._state.settings.account_id
        return {
            "ServiceCode": "ec2",
            "ServiceName": "Amazon Elastic Compute Cloud (Amazon EC2)",
            "QuotaArn": f"arn:aws:servicequotas:{call.region}:{account}:ec2/{code}",
            "QuotaCode": code,
            "QuotaName": DEFAULT_QUOTAS[code][0],
            "Value": float(value),
            "Unit": "None",
            "Adjustable": True,
            "GlobalQuota": False,
        }

    def _request(self, call: Call, parameters: Parameters) -> Parameters:
        code = _code(parameters)
        desired = float(parameters.get("DesiredValue") or 0)
        if desired <= self._state.quotas.limit(code, region=call.region):
            text = "The value that you request must be greater than the current quota value."
            raise ApiError("InvalidArgumentException", text)
        if any(
            region == call.region and kept["QuotaCode"] == code for region, kept in self._requests
        ):
            raise ApiError(
                "ResourceAlreadyExistsException", f"A request for quota {code} is pending already."
            )
        now: datetime = self._state.now()
        request = {
            **self._described(call, code, 0),
            "Id": uuid.uuid4().hex,
            "DesiredValue": desired,
            "Status": "PENDING",
            "Created": now.timestamp(),
            "LastUpdated": now.timestamp(),
        }
        for name in ("Value", "Adjustable"):
            request.pop(name)
        self._requests.append((call.region, request))
        return {"RequestedQuota": request}

    def _history(self, call: Call, parameters: Parameters) -> Parameters:
        code = parameters.get("QuotaCode")
        mine = [
            kept
            for region, kept in self._requests
            if region == call.region and code in {None, kept["QuotaCode"]}
        ]
        status = parameters.get("Status")
        return page(
            "RequestedQuotas",
            [r for r in mine if status in {None, r["Status"]}],
            parameters,
            default=100,
        )


def _require_ec2(parameters: Parameters) -> None:
    if parameters.get("ServiceCode") != "ec2":
        raise ApiError("NoSuchResourceException", "The sandbox knows the quotas of ec2 only.")


def _code(parameters: Parameters) -> str:
    _require_ec2(parameters)
    code = str(parameters.get("QuotaCode"))
    if code not in DEFAULT_QUOTAS:
        raise ApiError("NoSuchResourceException", f"The quota {code} does not exist.")
    return code
