"""The index that the user's pip or uv configuration names, in a home folder of our own."""

import pytest
from pypi_simple import PYPI_SIMPLE_ENDPOINT

from wheelfleet_coordinator.adapters.user_configuration import choose_index
from wheelfleet_shared.errors import InputError


class Machine:
    """A root, a home and an environment of Python below one temporary folder."""

    def __init__(self, root):
        self.root = root
        self.home = root / "home"
        self.environment = {"HOME": str(self.home)}

    def write(self, name, content):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return path

    def choose(self, option=None, **variables):
        environment = self.environment | variables
        return choose_index(option, environment, prefix=self.root / "prefix", root=self.root)


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def pip_conf(url, section="global"):
    return f"[{section}]\nindex-url = {url}\n"


def test_without_any_configuration_it_is_the_default(machine):
    choice = machine.choose()
    assert (choice.url, choice.origin) == (PYPI_SIMPLE_ENDPOINT.rstrip("/"), "the default")
    assert (choice.auth, choice.ignored, choice.ca_bundle, choice.proxy) == (None, (), "", "")


def test_later_levels_of_pip_override_earlier_ones(machine):
    levels = ["etc/xdg/pip", "etc", "home/.pip", "home/.config/pip", "prefix"]
    for number, folder in enumerate(levels):
        path = machine.write(f"{folder}/pip.conf", pip_conf(f"https://h{number}.example/simple/"))
        choice = machine.choose()
        assert (choice.url, choice.origin) == (f"https://h{number}.example/simple", f"pip's configuration ({path})")
    extra = machine.write("extra.conf", pip_conf("https://extra.example/simple"))
    assert machine.choose(PIP_CONFIG_FILE=str(extra)).url == "https://extra.example/simple"
    assert machine.choose(PIP_CONFIG_FILE=str(extra), PIP_INDEX_URL="https://v.example").origin == "PIP_INDEX_URL"
    choice = machine.choose("https://option.example/simple/", PIP_INDEX_URL="https://v.example")
    assert (choice.url, choice.origin) == ("https://option.example/simple", "the --index-url option")


def test_an_extra_file_keeps_the_users_own_out_and_dev_null_all(machine):
    machine.write("home/.config/pip/pip.conf", pip_conf("https://user.example/simple"))
    empty = machine.write("extra.conf", "")
    assert machine.choose(PIP_CONFIG_FILE=str(empty)).origin == "the default"
    assert machine.choose(PIP_CONFIG_FILE="/dev/null").origin == "the default"


def test_the_section_for_install_goes_before_the_global_one(machine):
    machine.write("etc/pip.conf", pip_conf("https://install.example/simple", "install"))
    machine.write("home/.config/pip/pip.conf", "[global]\nindex_url = https://user.example\n[list]\nindex-url=x\n")
    assert machine.choose().url == "https://install.example/simple"


def test_further_indexes_are_named_once_without_credentials(machine):
    further = "https://u:secret@a.example/simple file:///srv/simple"
    path = machine.write("etc/pip.conf", f"[global]\nextra-index-url = {further}\nfind-links =\n    /wheels\n")
    machine.write("home/.config/uv/uv.toml", '[[index]]\nurl = "https://uv.example/simple"\n')
    choice = machine.choose(PIP_FIND_LINKS="/wheels", UV_EXTRA_INDEX_URL="file:///srv/simple https://b.example")
    assert choice.ignored == (
        f"https://a.example/simple (pip's configuration ({path}))",
        f"file:///srv/simple (pip's configuration ({path}))",
        "/wheels (PIP_FIND_LINKS)",
        "https://b.example (UV_EXTRA_INDEX_URL)",
        f"https://uv.example/simple (uv's configuration ({machine.home}/.config/uv/uv.toml))",
    )
    assert choice.origin == "the default"


def test_credentials_are_decoded_and_leave_the_url_and_the_printed_form(machine):
    choice = machine.choose("https://ann:p%40ss@h.example:8443/simple")
    assert (choice.url, choice.auth) == ("https://h.example:8443/simple", ("ann", "p@ss"))
    assert "p@ss" not in repr(choice)


@pytest.mark.rule("daily-12")
def test_certificates_and_proxy(machine):
    bundle = machine.write("ca.pem", "")
    other = machine.write("other.pem", "")
    machine.write("etc/pip.conf", f"[global]\ncert = {bundle}\nproxy = http://proxy.example:3128\n")
    choice = machine.choose(SSL_CERT_FILE=str(other))
    assert (choice.ca_bundle, choice.proxy) == (str(bundle), "http://proxy.example:3128")
    (machine.root / "etc/pip.conf").unlink()
    assert machine.choose(SSL_CERT_FILE=str(other), REQUESTS_CA_BUNDLE=str(bundle)).ca_bundle == str(bundle)
    assert machine.choose(SSL_CERT_FILE=str(other)).ca_bundle == str(other)
    with pytest.raises(InputError, match="PIP_CERT"):
        machine.choose(PIP_CERT=str(machine.root / "nowhere.pem"))


def test_uv_counts_where_pip_names_no_index(machine):
    system = machine.write("etc/uv/uv.toml", 'index-url = "https://system.example/simple"\n')
    assert machine.choose().origin == f"uv's configuration ({system})"
    machine.write("etc/xdg/uv/uv.toml", '[pip]\nindex-url = "https://xdg.example/simple"\n')
    assert machine.choose().url == "https://xdg.example/simple"
    other = '[[index]]\nurl = "https://x.example"\n'
    own = '[[index]]\nname = "own"\nurl = "https://own.example"\ndefault = true\n'
    user = 'https-proxy = "http://p.example"\n' + other + own
    machine.write("home/.config/uv/uv.toml", user)
    choice = machine.choose(UV_INDEX_OWN_USERNAME="ann", UV_INDEX_OWN_PASSWORD="secret")
    assert (choice.url, choice.auth) == ("https://own.example", ("ann", "secret"))
    assert choice.proxy == "http://p.example"
    assert choice.ignored[0].startswith("https://x.example ")
    assert machine.choose(UV_DEFAULT_INDEX="mine=https://v.example/simple").url == "https://v.example/simple"
    assert machine.choose(UV_NO_CONFIG="1").origin == "the default"
    assert machine.choose(UV_CONFIG_FILE=str(system)).url == "https://system.example/simple"
    machine.write("etc/pip.conf", pip_conf("https://pip.example/simple"))
    assert machine.choose().url == "https://pip.example/simple"


def test_the_proxy_of_uv_counts_where_no_variable_names_one(machine):
    machine.write("home/.config/uv/uv.toml", 'https-proxy = "http://p.example"\n')
    assert machine.choose().proxy == "http://p.example"
    assert machine.choose(HTTPS_PROXY="http://q.example").proxy == ""


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("etc/pip.conf", "no section\n"),
        ("home/.config/uv/uv.toml", "not toml"),
        ("home/.config/uv/uv.toml", 'index = "x"'),
        ("etc/pip.conf", pip_conf("ftp://h.example/simple")),
        ("etc/pip.conf", pip_conf("/srv/simple")),
    ],
)
def test_a_configuration_that_cannot_be_used_is_named(machine, name, content):
    path = machine.write(name, content)
    with pytest.raises(InputError, match=str(path)):
        machine.choose()


def test_an_empty_option_is_not_taken_for_none(machine):
    """As of ``--index-url "$UNSET"``: sources of a private index must not come from the public one."""
    with pytest.raises(InputError, match="--index-url option is no URL"):
        machine.choose("")
