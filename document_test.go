package shoal_test

import (
	"go/ast"
	"go/token"
	"slices"
	"testing"
)

// TestDocumented: each name that the public packages export has its comment,
// and each package one of its own.
func TestDocumented(t *testing.T) {
	packages := map[string]bool{}
	for _, s := range tree(t) {
		if s.isTest() || !slices.Contains(documented, s.folder) {
			continue
		}
		packages[s.folder] = packages[s.folder] || s.Doc != nil
		for _, d := range s.Decls {
			for _, name := range undocumented(d) {
				t.Errorf("%s: %s has no comment", s.at(name), name.Name)
			}
		}
	}
	for _, folder := range documented {
		if !packages[folder] {
			t.Errorf("package %s has no comment", folder)
		}
	}
}

// undocumented are the exported names of a declaration that have no comment.
func undocumented(d ast.Decl) (names []*ast.Ident) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Doc == nil && d.Name.IsExported() && isPublic(d) {
			names = append(names, d.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			names = append(names, undocumentedIn(d, spec)...)
		}
	}
	return names
}

// isPublic says whether a function can be named elsewhere, and is not what
// makes a type an error.
func isPublic(f *ast.FuncDecl) bool {
	if f.Recv == nil {
		return true
	}
	if f.Name.Name == "Error" {
		return false
	}
	receiver := f.Recv.List[0].Type
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	if of, ok := receiver.(*ast.IndexExpr); ok {
		receiver = of.X
	}
	name, ok := receiver.(*ast.Ident)
	return ok && name.IsExported()
}

// undocumentedIn looks at one type, or one line of constants or variables. In
// a group the group's comment will do for lines of one kind.
func undocumentedIn(d *ast.GenDecl, spec ast.Spec) (names []*ast.Ident) {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		if !spec.Name.IsExported() {
			return nil
		}
		if d.Doc == nil && spec.Doc == nil {
			names = append(names, spec.Name)
		}
		if i, ok := spec.Type.(*ast.InterfaceType); ok {
			names = append(names, undocumentedMethods(i)...)
		}
	case *ast.ValueSpec:
		if spec.Doc != nil || spec.Comment != nil || d.Doc != nil && (d.Tok == token.CONST || d.Lparen == 0) {
			return nil
		}
		for _, name := range spec.Names {
			if name.IsExported() {
				names = append(names, name)
			}
		}
	}
	return names
}

// undocumentedMethods are those of an interface. Of a sole method the
// interface's comment tells.
func undocumentedMethods(i *ast.InterfaceType) (names []*ast.Ident) {
	if len(i.Methods.List) == 1 {
		return nil
	}
	for _, m := range i.Methods.List {
		if m.Doc == nil && m.Comment == nil {
			names = append(names, m.Names...)
		}
	}
	return names
}
