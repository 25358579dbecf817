"""Every recipe of CONTRIBUTING, carried out."""

from tests.recipes.data import COLUMN, COVARIATE, FORMAT, REASON, STORED_COLUMN
from tests.recipes.pages import KIND, PAGE, SETTING

RECIPES = (FORMAT, COLUMN, STORED_COLUMN, REASON, SETTING, PAGE, KIND, COVARIATE)
