"""What sectxt finds wrong in each file of security.txt of a list that was served at an address:
[[address, text], …]."""

import json
import sys

from sectxt import Parser

answers = []
for address, text in json.load(sys.stdin):
    parser = Parser(text.encode(), urls=[address])
    answers.append([found["code"] for found in parser.errors])
json.dump(answers, sys.stdout)
