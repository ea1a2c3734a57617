package main

import (
	_ "github.com/ollama/ollama/api"
)

func main() {}
