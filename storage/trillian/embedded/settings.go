package embedded

import (
	"github.com/google/trillian"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// settingHashIndex is the one storage setting of a tree: whether there is a
// hash index. It is there unless the setting is false.
const settingHashIndex = "hash_index"

// WithoutHashIndex are storage settings, for trillian.Tree.storage_settings,
// of a PREORDERED_LOG tree without a hash index. Such a tree does not refuse
// a leaf because its identity hash is taken, and answers GetLeavesByHash by
// Unimplemented. Appending is several times faster: the random keys of an
// index are what costs.
func WithoutHashIndex() *anypb.Any {
	settings, err := anypb.New(&structpb.Struct{Fields: map[string]*structpb.Value{
		settingHashIndex: structpb.NewBoolValue(false),
	}})
	if err != nil {
		panic("embedded: constant settings do not marshal: " + err.Error())
	}
	return settings
}

// hashIndexed says whether the tree has a hash index. The settings are valid.
func hashIndexed(tree *trillian.Tree) bool {
	indexed, err := parseSettings(tree)
	return indexed || err != nil
}

func parseSettings(tree *trillian.Tree) (indexed bool, err error) {
	if tree.StorageSettings == nil {
		return true, nil
	}
	var settings structpb.Struct
	if err := tree.StorageSettings.UnmarshalTo(&settings); err != nil {
		return false, status.Errorf(codes.InvalidArgument, "storage_settings: %v", err)
	}
	value, ok := settings.Fields[settingHashIndex].GetKind().(*structpb.Value_BoolValue)
	if !ok || len(settings.Fields) != 1 {
		return false, status.Errorf(codes.InvalidArgument, "storage_settings: not {%q: bool}", settingHashIndex)
	}
	return value.BoolValue, nil
}

// validateSettings also refuses a LOG tree without the index, which its queue
// needs to find duplicates.
func validateSettings(tree *trillian.Tree) error {
	indexed, err := parseSettings(tree)
	if err != nil {
		return err
	}
	if !indexed && tree.TreeType != trillian.TreeType_PREORDERED_LOG {
		return status.Errorf(codes.InvalidArgument, "storage_settings: a tree of type %v needs the hash index", tree.TreeType)
	}
	return nil
}
