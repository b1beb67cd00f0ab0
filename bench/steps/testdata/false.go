// Command false fails, and fetches nothing.
package main

import "os"

func main() { os.Exit(1) }
