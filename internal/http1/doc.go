// Package http1 reads HTTP/1.x responses and writes requests.
package http1
