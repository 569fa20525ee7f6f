"""The arguments of OpenSSH's client for one environment, and its options for the road there. Without paramiko."""

from __future__ import annotations

from fleet.aws.identity import describe_identity
from fleet.aws.sessions import session_command
from fleet.errors import FleetError
from fleet.plan import tags
from fleet.plan.facts.environment import InstanceFact
from fleet.ssh.openssh import known_hosts_name
from fleet.workflows.context import Context
from fleet.workflows.environment.members import choose_members, require_running
from fleet.workflows.environment.status import live_instances
from fleet.workflows.record.secrets import describe_secrets

_CONNECT_SECONDS = 20


def ssh_command(context: Context, fleet: str, member: str) -> tuple[str, ...]:
    """Give the arguments for OpenSSH's client; writes its key and the recorded host key to the cache first."""
    (instance,) = choose_members(live_instances(context, fleet), (member,), fleet)
    require_running(instance)
    recorded = instance.tags.get(tags.HOST_KEY)
    if recorded is None:
        raise FleetError(
            f"the host key of {member} is not recorded yet",
            remedy="run `fleet up` on its spec again",
        )
    port, address = context.settings.ssh_port, instance.address or ""
    name = known_hosts_name(address, port)
    cache = context.cache(describe_identity(context.aws).account_id, fleet)
    key = cache.write("ssh-key", describe_secrets(context, fleet).private_key)
    known = cache.write(f"known_hosts-{instance.instance_id}", f"{name} {recorded}\n")
    options = {
        "IdentitiesOnly": "yes",
        "UserKnownHostsFile": str(known),
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "ConnectTimeout": str(_CONNECT_SECONDS),
    }
    options |= proxy_options(context, instance)
    flags = [word for key_, value in options.items() for word in ("-o", f"{key_}={value}")]
    login = f"{instance.login_user}@{address}"
    return ("ssh", "-i", str(key), "-p", str(port), *flags, login)


def proxy_options(context: Context, instance: InstanceFact) -> dict[str, str]:
    """Give OpenSSH's options for the road to an instance: none where nothing stands in between."""
    access_path = instance.access_path
    if access_path.kind == "bastion":
        target, _, port = access_path.bastion.rpartition("@")[2].partition(":")
        user = access_path.bastion.rpartition("@")[0]
        # StrictHostKeyChecking: OpenSSH would ask by itself, over the very terminal that the host is to have.
        return {
            "ProxyCommand": f"ssh -o StrictHostKeyChecking=yes -p {port or 22} -W %h:%p {user}@{target}"
        }
    if access_path.kind == "ssm":
        port_number = context.settings.ssh_port
        argv = session_command(context.aws, instance_id=instance.instance_id, port=port_number)
        return {"ProxyCommand": " ".join(argv)}
    return {}
