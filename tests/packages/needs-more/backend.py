"""A backend whose requirements are only known when it is asked."""


def get_requires_for_build_wheel(config_settings=None):
    return ["inhouse-backend >= 1.0", 'never-here; python_version < "3"']


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    import inhouse

    raise SystemExit(f"found {inhouse.ANSWER}")
