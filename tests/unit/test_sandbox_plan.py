from pathlib import Path

from wheelfleet_agent.core.sandbox_plan import Confinement, HostRoot, Level, Mount, Sandbox, bwrap_argv, confine, inside

ROOT = HostRoot((Path("/usr"), Path("/etc/ssl")), ((Path("/bin"), "usr/bin"),))
SHUT = Sandbox(Level.STANDARD, ROOT, Path("/usr/bin/bwrap"), Path("/agent/etc"), disable_userns=True)
OPEN = Sandbox(Level.NONE)
MOUNTS = (
    Mount(Path("/a/build"), Path("/build"), writable=True),
    Mount(Path("/a/build/inner"), Path("/inner")),
)


def pairs(argv, option):
    return [(argv[at + 1], argv[at + 2]) for at, word in enumerate(argv) if word == option]


def test_paths_are_translated_by_the_nearest_mount():
    assert inside(SHUT, MOUNTS, Path("/a/build/x")) == Path("/build/x")
    assert inside(SHUT, MOUNTS, Path("/a/build/inner/x")) == Path("/inner/x")
    assert inside(SHUT, MOUNTS, Path("/elsewhere")) == Path("/elsewhere")
    assert inside(OPEN, MOUNTS, Path("/a/build/x")) == Path("/a/build/x")


def test_only_what_is_meant_to_be_is_writable():
    argv = bwrap_argv(SHUT, Confinement(MOUNTS), {}, Path("/build"))
    assert pairs(argv, "--bind") == [("/a/build", "/build")]
    assert ("/a/build/inner", "/inner") in pairs(argv, "--ro-bind")
    assert pairs(argv, "--symlink") == [("usr/bin", "/bin")]
    assert argv.index("/inner") < argv.index("--remount-ro")


def test_the_kernels_settings_cannot_be_written():
    """Root's hooks may: bubblewrap leaves /proc/sys as it is."""
    argv = bwrap_argv(SHUT, Confinement(MOUNTS), {}, Path("/build"))
    made_read_only = [argv[at + 1] for at, word in enumerate(argv) if word == "--remount-ro"]
    assert made_read_only == ["/dev", "/proc", "/"]
    assert argv.index("--proc") < argv.index("--remount-ro")


def test_all_namespaces_are_new_and_all_rights_gone():
    argv = bwrap_argv(SHUT, Confinement(), {}, Path("/"))
    assert {f"--unshare-{kind}" for kind in ("user", "pid", "net", "ipc", "uts")} <= set(argv)
    assert {"--disable-userns", "--new-session", "--die-with-parent", "--clearenv"} <= set(argv)
    assert argv[argv.index("--cap-drop") :][:2] == ("--cap-drop", "ALL")


def test_granting_the_network_brings_certificates_and_nothing_else():
    alone = bwrap_argv(SHUT, Confinement(), {}, Path("/"))
    granted = bwrap_argv(SHUT, Confinement(network=True), {}, Path("/"))
    assert set(alone) - set(granted) == {"--unshare-net"}
    assert set(granted) - set(alone) == {"/etc/ssl"}


def test_an_older_bubblewrap_is_not_asked_for_what_it_lacks():
    assert "--disable-userns" not in bwrap_argv(SHUT._replace(disable_userns=False), Confinement(), {}, Path("/"))


def test_the_environment_reaches_the_program_and_not_bubblewrap():
    command = confine(SHUT, Confinement(MOUNTS), ["make", "all"], {"LD_PRELOAD": "x.so"}, Path("/build"))
    assert command.environment == {}
    assert ("LD_PRELOAD", "x.so") in pairs(command.argv, "--setenv")
    assert command.argv[-3:] == ("--", "make", "all")
    assert command.writable == (Path("/a/build"),)


def test_without_a_sandbox_the_command_is_itself():
    command = confine(OPEN, Confinement(MOUNTS), ["make"], {"A": "b"}, Path("/a/build"))
    assert (command.argv, command.environment, command.cwd) == (("make",), {"A": "b"}, Path("/a/build"))
