"""What plugins written for fromager import: the same names, over what an agent brings to a build.

Written anew from the documented behaviour. What is not here is refused where it is used; see ``unoffered``.
"""
