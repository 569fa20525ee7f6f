"""The types of a recipe's values that a spec does not have: each a rule, and the form that an editor can see."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from fleet.recipe import rules as of
from fleet.spec.forms import Text

RecipeName = Annotated[str, AfterValidator(of.recipe_name), Text(pattern=of.NAME_PATTERN)]

AptPackage = Annotated[str, AfterValidator(of.apt_package), Text(pattern=of.APT_PATTERN)]
DnfPackage = Annotated[str, AfterValidator(of.dnf_package), Text(pattern=of.DNF_PATTERN)]
CondaPackage = Annotated[str, AfterValidator(of.conda_package), Text(pattern=of.CONDA_PATTERN)]
Channel = Annotated[str, AfterValidator(of.channel), Text(pattern=of.CHANNEL_PATTERN)]
Environment = Annotated[str, AfterValidator(of.environment), Text(pattern=of.ENVIRONMENT_PATTERN)]

Url = Annotated[str, AfterValidator(of.https_url), Text(pattern=of.URL_PATTERN)]
GitRef = Annotated[str, AfterValidator(of.git_ref), Text(pattern=of.REF_PATTERN)]
Sha256 = Annotated[str, AfterValidator(of.sha256), Text(pattern=of.SHA256_PATTERN)]
Target = Annotated[str, AfterValidator(of.target), Text(pattern=of.TARGET_PATTERN)]
TargetBelow = Annotated[str, AfterValidator(of.target_below), Text(pattern=of.TARGET_PATTERN)]

Command = Annotated[str, AfterValidator(of.command)]
Expected = Annotated[str, AfterValidator(of.expected)]
PythonModule = Annotated[str, AfterValidator(of.module), Text(pattern=of.MODULE_PATTERN)]
Notebook = Annotated[str, AfterValidator(of.notebook), Text(pattern=of.NOTEBOOK_PATTERN)]

SearchedPath = Annotated[str, AfterValidator(of.searched_path), Text(pattern=of.SEARCHED_PATTERN)]
OutputName = Annotated[str, AfterValidator(of.output_name), Text(pattern=of.OUTPUT_PATTERN)]
Account = Annotated[str, AfterValidator(of.account), Text(pattern=of.ACCOUNT_PATTERN)]
